#!/usr/bin/env python3
"""What deploy/pki issues is what listeners let in, and what it revokes is what they refuse.

usage: pki_test.py SOURCE_DIR
"""
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = sys.argv[1]
failures = 0


def pki(*args):
    return subprocess.run([f"{SOURCE}/deploy/pki", *args], capture_output=True, text=True, timeout=60)


def made(*args):
    run = pki(*args)
    assert run.returncode == 0, f"{args}: {run.stderr}"


def let_in(folder, certificate):
    """As a listener judges it: the chain, its purpose, and every revocation list on the way to the root."""
    verify = ["openssl", "verify", "-crl_check_all", "-purpose", "sslclient", "-CAfile", f"{folder}/devices-ca.pem",
              "-CRLfile", f"{folder}/devices-crl.pem", certificate]
    return subprocess.run(verify, capture_output=True, timeout=60).returncode == 0


def expect(what, condition):
    global failures
    failures += not condition
    print(f"{'ok  ' if condition else 'FAIL'} {what}")


def i7_a_locked_out_machine_has_no_certificate_left(folder):
    made("device", folder, "chair-1")
    stolen = f"{folder}/stolen.pem"
    shutil.copy(f"{folder}/devices/chair-1.pem", stolen)
    made("device", folder, "chair-1", "--renew")
    made("device", folder, "chair-10")
    expect("both certificates of a machine are let in", let_in(folder, stolen) and let_in(folder, f"{folder}/devices/chair-1.pem"))
    made("revoke", folder, "chair-1")
    expect("the newest certificate is revoked", not let_in(folder, f"{folder}/devices/chair-1.pem"))
    expect("the one before it is revoked too", not let_in(folder, stolen))
    expect("another machine is let in", let_in(folder, f"{folder}/devices/chair-10.pem"))
    made("revoke", folder, "chair-1")
    made("device", folder, "chair-1")
    expect("a machine that was locked out gets a new certificate", let_in(folder, f"{folder}/devices/chair-1.pem"))
    expect("its old one stays revoked", not let_in(folder, stolen))


def a_repeated_command_changes_nothing(folder):
    with open(f"{folder}/devices/chair-10.pem") as f:
        before = f.read()
    made("init", folder)
    made("device", folder, "chair-10")
    with open(f"{folder}/devices/chair-10.pem") as f:
        expect("a valid certificate stays as it is", f.read() == before)
    expect("keys are their owner's alone", os.stat(f"{folder}/devices/chair-10.key").st_mode & 0o777 == 0o600)


def an_older_folder_gets_what_integrators_need(folder):
    with open(f"{folder}/devices-ca.pem") as f:
        before = f.read()
    for name in ("integrators-ca.pem", "integrators-crl.pem"):
        os.remove(f"{folder}/{name}")
    shutil.rmtree(f"{folder}/ca/integrators")
    made("crl", folder)
    made("integrator", folder, "tickets")
    with open(f"{folder}/devices-ca.pem") as f:
        expect("an older folder gets what integrators need, and trusts whom it trusted", f.read() == before)
    expect("a machine is let in as before", let_in(folder, f"{folder}/devices/chair-10.pem"))
    expect("an integrator is let in nowhere else", not let_in(folder, f"{folder}/integrators/tickets.pem"))


def mistakes_are_refused(folder):
    for args in (["--days", "abc"], ["--days", "0"], ["--days", "99999"], ["--days", ""], ["--not-after", "soon"],
                 ["--not-after", "2027Z"], ["--not-after", "20271231"]):
        run = pki("device", folder, "chair-2", *args)
        expect(f"{args} is refused in one line", run.returncode == 1 and run.stderr.startswith(f"pki: {args[0]} is") and
               run.stderr.count("\n") == 1)
    expect("nothing was issued", not os.path.exists(f"{folder}/devices/chair-2.pem"))


with tempfile.TemporaryDirectory(prefix="gymfleet pki ") as temporary:
    made("init", temporary)
    i7_a_locked_out_machine_has_no_certificate_left(temporary)
    a_repeated_command_changes_nothing(temporary)
    an_older_folder_gets_what_integrators_need(temporary)
    mistakes_are_refused(temporary)
sys.exit(failures != 0)
