#!/usr/bin/env python3
"""The same dialogues with Postfix and with Angarium: run.py PATH-OF-ANGARIUM [NAME...]

Where the two answer alike all is well. Where they do not, `differences.toml` has both outcomes and the paragraph of
docs/smtp.md that gives the reason. A difference that is not there fails, and so does one that is there and is none.
"""

import pathlib
import sys
import tempfile
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))

from dialogues import DIALOGUES, MAX_MESSAGE_SIZE, MAX_RECIPIENTS  # noqa: E402
from postfix import Postfix  # noqa: E402
from server import Server  # noqa: E402

ADDRESSES = ["alice@example.org", "bob@example.org", "postmaster@example.org"]


def judge(dialogue, known, postfix, angarium):
    """What is wrong with the outcomes of a dialogue, in one sentence, or nothing."""
    if known is None:
        return None if postfix == angarium else "a difference that is not in differences.toml"
    if postfix == angarium:
        return "no difference any more: take it out of differences.toml"
    for name, found in (("postfix", postfix), ("angarium", angarium)):
        if known[name] != found:
            return f"the outcome of {name} is not that of differences.toml ({known[name]})"
    return None


def unexplained(differences):
    """The reasons that no paragraph of docs/smtp.md begins with, and the dialogues that are not held."""
    text = (HERE.parent.parent / "docs/smtp.md").read_text()
    behind = text.partition("\n## Differences from Postfix\n")[2].partition("\n## ")[0]
    names = {dialogue.name for dialogue in DIALOGUES}
    for name, difference in differences.items():
        if f"\n**{difference['because']}.**" not in behind:
            yield f"{name}: docs/smtp.md has no paragraph **{difference['because']}.**"
        if name not in names:
            yield f"{name}: no such dialogue"
    for reason in (line[2:].partition(".**")[0] for line in behind.splitlines() if line.startswith("**")):
        if all(difference["because"] != reason for difference in differences.values()):
            yield f"docs/smtp.md explains {reason!r}, and no difference says so"


def main():
    if len(sys.argv) < 2:
        raise SystemExit(f"usage: {sys.argv[0]} PATH-OF-ANGARIUM [NAME...]")
    wanted = [dialogue for dialogue in DIALOGUES if dialogue.name in sys.argv[2:] or len(sys.argv) == 2]
    differences = tomllib.loads((HERE / "differences.toml").read_text())
    complaints = list(unexplained(differences))
    same = different = 0
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as peers:
        settings = (
            "server.hostname=mx.example.org",
            f"smtp.max_message_size={MAX_MESSAGE_SIZE}B",
            f"smtp.max_recipients={MAX_RECIPIENTS}",
        )
        postfix = Postfix(peers, ADDRESSES, MAX_MESSAGE_SIZE, MAX_RECIPIENTS)
        try:
            server = Server(sys.argv[1], directory, ADDRESSES, *settings)
            try:
                for dialogue in wanted:
                    theirs, they_said = dialogue.hold(postfix.port)
                    ours, we_said = dialogue.hold(server.ports["mx"])
                    wrong = judge(dialogue, differences.get(dialogue.name), theirs, ours)
                    same += theirs == ours
                    different += theirs != ours
                    if wrong:
                        complaints.append(f"{dialogue.name}: {wrong}")
                    if wrong or len(sys.argv) > 2:
                        print(f"{dialogue.name}: {wrong or 'as it must be'}")
                        print(f'postfix = "{theirs}"\nangarium = "{ours}"')
                        print(f"--- Postfix\n{they_said}\n--- Angarium\n{we_said}\n")
            finally:
                server.end()
        finally:
            version = postfix.version()
            postfix.end()
    print(f"{same} dialogues alike, {different} different from Postfix {version}; {len(complaints)} wrong")
    for complaint in complaints:
        print(f"FAILED {complaint}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
