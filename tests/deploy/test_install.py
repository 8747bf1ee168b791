"""What `deploy/` holds, as far as it can be tried without taking a machine over: there is no container engine here."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.boxroom.house import House, found
from tests.deploy.land import DEPLOY, ROOT

SCRIPTS = [DEPLOY / "install.sh", DEPLOY / "boxroom"]
SERVICES = {"boxroom.service": 12, "boxroom-backup.service": 5}  # tenths of what systemd calls exposure, at most
OF_A_MACHINE = {**os.environ, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
PLACE = "usr/local/lib/boxroom"

pytestmark = pytest.mark.xdist_group("deploy")  # what takes long is made once
# In a copy of this machine's folders, which are as they were afterwards. What would change more than folders, the
# package manager and the services, only says what it was asked for.
ON_A_MACHINE = """
umask 022
set -e
deploy=$1 before=$2 place=$3
mount -t tmpfs tmpfs "$place"
for folder in /etc /usr/local /var; do
    mkdir -p "$place$folder/new" "$place$folder/work"
    mount -t overlay overlay -o "lowerdir=$folder,upperdir=$place$folder/new,workdir=$place$folder/work" "$folder"
done
mkdir "$place/bin"
for name in apt-get systemctl; do
    printf '#!/bin/sh\\necho "[%s $*]"\\n' "$name" >"$place/bin/$name"
    chmod +x "$place/bin/$name"
done
export PATH="$place/bin:$PATH"
cp -R "$before/usr/local/lib/boxroom" /usr/local/lib/boxroom # so that its libraries need not be fetched once more
mkdir -p /etc/caddy
touch /etc/caddy/Caddyfile
cd /
"$deploy/install.sh" https://studio.example ada
echo --
"$deploy/install.sh" https://studio.example ada
if "$deploy/install.sh" https://another.example ada 2>&1; then exit 9; fi
echo --
boxroom status
echo --
stat -c '%U %a %n' /var/lib/boxroom /var/backups/boxroom /etc/boxroom/passphrase
echo --
grep boxroom /etc/caddy/Caddyfile
grep ^studio /etc/caddy/boxroom.caddy
"""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the root of a machine on which Boxroom was installed."""
    modern = ["python3", "-c", "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"]
    if subprocess.run(modern, env=OF_A_MACHINE, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine itself has no Python 3.11 with venv")
    folder = tmp_path_factory.mktemp("machine")
    installs(folder)
    return folder


def installs(folder: Path) -> str:
    command = [str(DEPLOY / "install.sh"), "https://studio.example", "ada"]
    done = subprocess.run(
        command, env={**OF_A_MACHINE, "DESTDIR": str(folder)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def instructions(name: str) -> list[str]:
    """What stands behind a word of the recipe for containers."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    return re.findall(rf"^{name} +(.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_have_no_fault_that_can_be_read(script: Path) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")

    checked = subprocess.run([shellcheck, script], capture_output=True, text=True, check=False)

    assert checked.stdout == ""
    assert os.access(script, os.X_OK)


@pytest.mark.timeout(400)  # every library is installed, from the package index
def test_what_is_installed_runs_with_what_was_installed_with_it(laid_out: Path, tmp_path: Path) -> None:
    program = [str(laid_out / PLACE / "venv/bin/python"), "-P", "-m", "boxroom"]
    surroundings = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(laid_out / PLACE / "app"),
        "BOXROOM_DATA": str(tmp_path / "data"),
    }

    def runs(*arguments: str) -> str:
        command = [*program, *arguments]
        done = subprocess.run(command, cwd="/", env=surroundings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    runs("init", "--url", "https://studio.example", "--handle", "ada")
    assert json.loads(runs("whoami", "--json"))["address"] == "ada@studio.example"
    assert runs("doctor", "--offline")


@pytest.mark.timeout(400)
def test_installing_again_keeps_what_is_there_and_the_program_before(laid_out: Path) -> None:
    passphrase = laid_out / "etc/boxroom/passphrase"
    before = passphrase.read_text()
    (laid_out / PLACE / "app" / "of the last version").touch()

    said = installs(laid_out)

    assert "libraries" not in said
    assert passphrase.read_text() == before
    assert len(before.strip()) == 32
    assert stat.S_IMODE(passphrase.stat().st_mode) == 0o600
    assert not (laid_out / PLACE / "app" / "of the last version").exists()
    assert (laid_out / f"{PLACE}.old" / "app" / "of the last version").exists()


@pytest.mark.timeout(400)
def test_a_machine_is_set_up_and_stays_as_it_is_when_that_is_done_again(laid_out: Path, tmp_path: Path) -> None:
    command = ["unshare", "--mount", "bash", "-c", ON_A_MACHINE, "bash", str(DEPLOY), str(laid_out), str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        pytest.skip("nobody may mount anything here")

    done = subprocess.run(command, env=OF_A_MACHINE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, again, status, folders, caddy = done.stdout.split("--\n")

    assert "Your recovery key: " in first
    assert "[systemctl restart boxroom.service boxroom-backup.timer]" in first
    assert "A user" not in again
    assert "The studio in /var/lib/boxroom stays as it is" in again
    assert again.splitlines()[-1].startswith("there is a studio on this machine already, whose address is another")
    assert status.startswith("Boxroom ")
    assert "https://studio.example, not running" in status
    assert folders.splitlines() == [
        "boxroom 700 /var/lib/boxroom",
        "boxroom 700 /var/backups/boxroom",
        "root 600 /etc/boxroom/passphrase",
    ]
    assert caddy.splitlines() == ["import boxroom.caddy", "studio.example {"]


@pytest.mark.parametrize(
    "arguments", [[], ["studio.example", "ada"], ["https://studio.example/", "ada"], ["http://a.example", "ada"]]
)
def test_nothing_is_installed_for_what_is_no_address(arguments: list[str], tmp_path: Path) -> None:
    surroundings = {**OF_A_MACHINE, "DESTDIR": str(tmp_path)}

    done = subprocess.run(
        [DEPLOY / "install.sh", *arguments], env=surroundings, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("usage:")
    assert list(tmp_path.iterdir()) == []


@needs_systemd
@pytest.mark.timeout(400)
def test_systemd_understands_the_units(laid_out: Path, tmp_path: Path) -> None:
    units = []
    for file in sorted((laid_out / "etc/systemd/system").iterdir()):
        units.append(tmp_path / file.name)
        units[-1].write_text(file.read_text().replace("/usr/local/bin/boxroom", f"{laid_out}/usr/local/bin/boxroom"))

    checked = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)

    assert [unit.name for unit in units] == ["boxroom-backup.service", "boxroom-backup.timer", "boxroom.service"]
    assert (checked.returncode, checked.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("service", SERVICES)
def test_the_sandbox_leaves_little_of_the_machine_open(service: str) -> None:
    command = [
        "systemd-analyze",
        "security",
        "--offline=true",
        f"--threshold={SERVICES[service]}",
        str(DEPLOY / service),
    ]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout


def test_every_setting_of_the_sandbox_holds_for_both() -> None:
    """But for the network, which a backup does not need, and for where it may write."""
    served, saved = ({line for line in (DEPLOY / name).read_text().splitlines() if "=" in line} for name in SERVICES)
    of_one = {"ExecStart", "Restart", "RestartSec", "LimitNOFILE", "RestrictAddressFamilies"}

    assert {line.partition("=")[0] for line in served - saved} <= of_one | {"Description", "After", "Wants", "WantedBy"}


def test_the_recipe_for_containers_takes_what_is_there_and_leaves_no_root() -> None:
    copied = [line.split()[0] for line in instructions("COPY") if not line.startswith("--from")]

    assert set(copied) == {"requirements.txt", "activitypub", "federation", "coop", "web", "boxroom"}
    assert all((ROOT / one).exists() for one in copied)
    assert instructions("USER") == ["boxroom"]
    assert instructions("VOLUME") == ["/data"]
    assert {f"!{one}" for one in copied} <= set((ROOT / ".dockerignore").read_text().splitlines())
    assert (ROOT / ".dockerignore").read_text() == (ROOT / ".containerignore").read_text()


def test_the_container_is_well_as_long_as_its_server_answers(tmp_path: Path) -> None:
    house = found(tmp_path / "data")
    _, _, check = instructions("HEALTHCHECK")[0].partition("CMD ")
    command = [sys.executable, *json.loads(check)[1:]]
    command[-1] = command[-1].replace("8000", house.port)
    assert "8000" in check

    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
    with house.open():
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
        assert answers_strangers(house) == 421


def answers_strangers(house: House) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", int(house.port), timeout=10)
    connection.request("GET", "/", headers={"Host": "127.0.0.1"})
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_composition_is_one_studio_behind_caddy() -> None:
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    studio, caddy = composed["services"]["studio"], composed["services"]["caddy"]

    assert (DEPLOY / studio["build"]["context"] / studio["build"]["dockerfile"]).samefile(DEPLOY / "Containerfile")
    assert (studio["read_only"], studio["cap_drop"]) == (True, ["ALL"])
    assert "ports" not in studio
    assert caddy["environment"]["BOXROOM"] == "studio:8000"
    [subnet] = composed["networks"]["house"]["ipam"]["config"]
    assert studio["environment"]["BOXROOM_TRUSTED_PROXIES"] == subnet["subnet"]
    volumes = {one.partition(":")[0] for service in (studio, caddy) for one in service["volumes"]}
    assert volumes - set(composed["volumes"]) == {"./Caddyfile"}


@pytest.mark.parametrize("way", ["cloudflare-tunnel", "ssh", "tailscale-funnel", "wireguard"])
def test_each_way_in_says_what_it_shows_to_whom(way: str) -> None:
    assert "**Exposed:**" in (DEPLOY / "tunnels" / f"{way}.md").read_text()
    assert f"({way}.md)" in (DEPLOY / "tunnels" / "README.md").read_text()
