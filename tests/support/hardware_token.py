"""A hardware token for tests: SoftHSM, a real PKCS #11 module, with a token of its own in a folder.

Debian's package `softhsm2`; without it the tests that need it fail with the sentence that says so.
"""

import os
import subprocess
from pathlib import Path

import pkcs11

from privacy.vault.api import HardwarePlace

MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
)
PIN, OFFICER_PIN = "7391-5526", "0000-8812"


def softhsm_module() -> Path:
    """The library. Raises RuntimeError that says what to install."""
    found = next((module for module in MODULES if module.exists()), None)
    if found is None:
        raise RuntimeError("SoftHSM is not here: install the package softhsm2")
    return found


def make_token(folder: Path, label: str = "dinhdanh-test") -> HardwarePlace:
    """A fresh token. Sets SOFTHSM2_CONF, which the module reads when it is initialised: in a process that has used
    another token before, it is at its next use."""
    module, tokens, configuration = softhsm_module(), folder / "tokens", folder / "softhsm2.conf"
    tokens.mkdir()
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", OFFICER_PIN],
        check=True,
        capture_output=True,
    )
    pkcs11.lib(str(module)).finalize()
    pin_file = folder / "pin"
    pin_file.touch(mode=0o600)
    pin_file.write_text(PIN + "\n")
    return HardwarePlace(module, label, pin_file)
