"""Whether versions of data are up to date."""

from mesh.core.digest import fingerprint
from mesh.core.inputs import Inputs, differences
from mesh.core.status import NEVER_RUN, Status, out_of_date, up_to_date
from mesh.data.store import DataStore


def status_of_data(store: DataStore, inputs: Inputs) -> Status:
    """The state of a version of data that would be made from inputs now.

    Raises:
        MeshError: the storage can't be reached, or a manifest is damaged.
    """
    versions = store.versions()
    if not versions:
        return NEVER_RUN
    latest = store.get()
    wanted = fingerprint(inputs)
    if latest.inputs == wanted:
        return up_to_date(latest.version)
    if found := next((one for one in map(store.get, versions) if one.inputs == wanted), None):
        return out_of_date(latest.version, [f"data ({found.version} was made before)"])
    return out_of_date(latest.version, differences(latest.made_from, inputs))
