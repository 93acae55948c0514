"""How requirements become those of our platforms, and what uv writes becomes short again."""

import pytest
from locking.platforms import LINUX_ARM, LINUX_X86, MACOS_ARM, narrow, widen

INTERPRETER = (
    "python_full_version < '3.12' and implementation_name == 'cpython' and "
    "platform_machine == '{}' and platform_python_implementation == 'CPython' and sys_platform == '{}'"
)
X86 = INTERPRETER.format("x86_64", "linux")
ARM = INTERPRETER.format("aarch64", "linux")
MAC = INTERPRETER.format("arm64", "darwin")


@pytest.mark.parametrize(
    ("written", "short"),
    [
        (f"({MAC}) or ({ARM}) or ({X86})", ""),
        (f"({ARM}) or ({X86})", " ; sys_platform == 'linux'"),
        (MAC, " ; sys_platform == 'darwin'"),
        (ARM, " ; platform_machine == 'aarch64' and sys_platform == 'linux'"),
        (
            f"({MAC}) or ({X86})",
            " ; sys_platform == 'darwin' or platform_machine == 'x86_64' and sys_platform == 'linux'",
        ),
    ],
)
def test_conditions_stay_where_platforms_differ(written: str, short: str) -> None:
    lock = f"# Head\nsmall==1.0 ; {written} \\\n    --hash=sha256:00\n    # via tiny\n"

    assert widen(lock) == f"# Head\nsmall==1.0{short} \\\n    --hash=sha256:00\n    # via tiny\n"


@pytest.mark.parametrize(
    "marker",
    [
        f"{X86} and python_full_version < '3.11.4'".replace(
            "python_full_version < '3.12' and ", ""
        ),
        f"({X86}) or ({ARM} and extra == 'fast')",
        "python_full_version < '3.8'",
    ],
)
def test_conditions_that_say_more_are_left_alone(marker: str) -> None:
    lock = f"small==1.0 ; {marker} \\\n    --hash=sha256:00\n"

    assert widen(lock) == lock


def test_requirements_get_the_platforms_besides_their_own_conditions() -> None:
    text = "# Why.\ntiny>=1,<2\n\nsmall[fast]==1 ; sys_platform == 'linux' or a == 'b'  # Note.\n"

    comment, tiny, empty, small = narrow(text).splitlines()

    assert (comment, empty) == ("# Why.", "")
    assert tiny.startswith("tiny>=1,<2 ; ")
    assert small.startswith("small[fast]==1 ; (sys_platform == 'linux' or a == 'b') and ")
    for platform in (LINUX_X86, LINUX_ARM, MACOS_ARM):
        assert platform.marker in tiny
        assert platform.marker in small
    assert "python_version == '3.11'" in tiny
