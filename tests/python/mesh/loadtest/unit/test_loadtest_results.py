import csv
import io

from mesh.loadtest.plan import Exchange, LoadPlan
from mesh.loadtest.program import mixed_sizes
from mesh.loadtest.report import Outcome
from mesh.loadtest.results import action_context, response_times


def test_context_holds_nothing_secret() -> None:
    environment = {
        "GITHUB_RUN_ID": "7",
        "GITHUB_TOKEN": "secret",
        "GITHUB_REF": "",
        "HOME": "/root",
    }
    assert action_context(environment) == {"run_id": "7"}


def test_response_times_are_one_line_each(plan: LoadPlan) -> None:
    outcomes = [
        Outcome(Exchange(request=0, start=0.25, seconds=0.0015, status=200), None),
        Outcome(Exchange(request=1, start=0.5, seconds=0.002, status=0), 'reset, "by peer"'),
    ]
    rows = list(csv.DictReader(io.StringIO(response_times(plan, outcomes))))
    assert [row["milliseconds"] for row in rows] == ["1.500", "2.000"]
    assert [row["path"] for row in rows] == ["/bio", "/predict"]
    assert [row["failure"] for row in rows] == ["", 'reset, "by peer"']


def test_sizes_are_mixed_and_nothing_is_sent_twice() -> None:
    documents = [str(number) for number in range(20)]
    sizes = [len(group) for group in mixed_sizes(documents)]
    assert sizes == [1] * 20 + [4] * 5 + [16]
    assert mixed_sizes(["a"]) == [("a",)]
    assert mixed_sizes(["a", "b"]) == [("a",), ("b",), ("a", "b")]
