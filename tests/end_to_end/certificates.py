"""Certificate chains made for a test by the openssl command: an authority, one below it, leaves."""

import base64
import hashlib
import os
import subprocess

_CONFIG = """
[ca]
default_ca = d
[d]
database = {dir}/index
new_certs_dir = {dir}
rand_serial = yes
default_md = sha256
policy = p
email_in_dn = no
unique_subject = no
copy_extensions = none
[p]
commonName = supplied
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""


def _openssl(*arguments):
    done = subprocess.run(("openssl",) + arguments, capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {' '.join(arguments)}:\n{done.stderr}"
    return done.stdout


class Authority:
    """A root and one authority below it, which signs; `chain` files hold the leaf and the latter."""

    def __init__(self, directory, name):
        self.dir = os.path.join(directory, name)
        os.makedirs(self.dir)
        open(self._path("index"), "w").close()
        with open(self._path("openssl.cnf"), "w") as config:
            config.write(_CONFIG.format(dir=self.dir))
        self.root = self._path("root.pem")
        self._key("root")
        _openssl("req", "-x509", "-new", "-key", self._path("root.key"), "-subj",
                 f"/CN={name} root", "-days", "30", "-config", self._path("openssl.cnf"),
                 "-extensions", "authority", "-out", self.root)
        self._issue("middle", "root", "[x]\nbasicConstraints = critical,CA:true\n"
                    "keyUsage = critical,keyCertSign\nsubjectKeyIdentifier = hash\n",
                    "20200101000000Z", "20350101000000Z")

    def _path(self, name):
        return os.path.join(self.dir, name)

    def _key(self, name, bits=None):
        kind = (("-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}") if bits else
                ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
        _openssl("genpkey", *kind, "-out", self._path(name + ".key"))
        os.chmod(self._path(name + ".key"), 0o600)

    def _issue(self, name, by, extensions, start, end, bits=None):
        self._key(name, bits)
        with open(self._path(name + ".ext"), "w") as file:
            file.write(extensions)
        _openssl("req", "-new", "-key", self._path(name + ".key"), "-subj", f"/CN={name}",
                 "-out", self._path(name + ".csr"))
        _openssl("ca", "-batch", "-notext", "-config", self._path("openssl.cnf"), "-cert",
                 self._path(by + ".pem"), "-keyfile", self._path(by + ".key"), "-extfile",
                 self._path(name + ".ext"), "-extensions", "x", "-startdate", start, "-enddate",
                 end, "-in", self._path(name + ".csr"), "-out", self._path(name + ".pem"))

    def leaf(self, name, hosts, start="20200101000000Z", end="20350101000000Z", usage="serverAuth",
             bits=None):
        """(chain file, key file) of a certificate for these hosts ("DNS:...", "IP:...")."""
        self._issue(name, "middle", "[x]\nbasicConstraints = CA:false\n"
                    f"extendedKeyUsage = {usage}\nsubjectAltName = {','.join(hosts)}\n",
                    start, end, bits)
        chain = self._path(name + ".chain.pem")
        with open(chain, "w") as out:
            for part in (name, "middle"):
                with open(self._path(part + ".pem")) as one:
                    out.write(one.read())
        return chain, self._path(name + ".key")

    def self_signed(self, name, host):
        self._key(name)
        path = self._path(name + ".pem")
        _openssl("req", "-x509", "-new", "-key", self._path(name + ".key"), "-subj", f"/CN={name}",
                 "-days", "30", "-addext", f"subjectAltName={host}", "-out", path)
        return path, self._path(name + ".key")


def pin_of(certificate):
    """SHA-256 of the public key in base64, by openssl and hashlib."""
    public = _openssl("x509", "-in", certificate, "-noout", "-pubkey")
    der = base64.b64decode("".join(line for line in public.splitlines() if "-----" not in line))
    return base64.b64encode(hashlib.sha256(der).digest()).decode()
