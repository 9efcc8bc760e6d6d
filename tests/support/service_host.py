"""service_host.py: a host whose helper asks a service: the installed module and helper, and a key of its own.

    ServiceHost     such a host
    StaffService    an authd over the database of a StaffHost, for such hosts to ask"""

import base64
import hashlib

import pam_world
import world as worlds

MODULE = worlds.ROOT / "lib/security/pam_counterfoil.so"


def pin_of(certificate):
    """sha256//BASE64 of the public key in a certificate."""
    key = worlds.run("openssl", "x509", "-in", certificate, "-pubkey", "-noout")
    der = base64.b64decode("".join(line for line in key.splitlines() if not line.startswith("-")))
    return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()


def authd_section(**settings):
    """pam-helper.conf's section; None leaves a setting out."""
    return "[authd]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items() if value is not None)


class ServiceHost(pam_world.Application):
    """The Application of pam_world with the installed module and its helper, and back end authd."""

    def __init__(self, directory, url, certificates, api_key):
        self.url, self.certificates, self.api_key = url, certificates, api_key
        super().__init__(directory, module=MODULE)

    def configure(self, *lines, text=None, **keys):
        keys = {"backend": "authd", "timeout_connect": 8, "timeout_total": 20, **keys}
        return super().configure(*lines, text=text, **keys)

    def helper(self, answer, **script):
        """Not scripted here: the real one, with its real configuration."""
        del answer, script
        self.write_helper_conf()

    def write_helper_conf(self, more="", key=None, key_mode=0o600, **changes):
        """pam-helper.conf and the host's key; None leaves a setting out."""
        key_file = worlds.write_private(self.directory / "host.key", (self.api_key if key is None else key) + "\n", key_mode)
        text = authd_section(**{"url": self.url, "ca_file": self.certificates.ca, "host_key_file": key_file, **changes})
        return worlds.write_private(self.helper_conf, text + more)


class StaffService:
    """authd over the database of STAFF (a StaffHost): a service that staff's other hosts ask."""

    def __init__(self, staff, changes=None):
        self.staff = staff
        self.certificates = staff.cluster.certificates
        installation = staff.installation
        ports = {listener: worlds.free_port() for listener in ("api", "pages", "management")}
        self.port = ports["api"]
        configuration = installation.write_configuration(ports, installation.directory / "authd-for-hosts.conf",
                                                         {**worlds.PATIENCE, **(changes or {})})
        self.authd = worlds.Authd(configuration, installation.directory / "authd-for-hosts.log", self.certificates, ports)
        self.authd.start()
        self.authds, self.ca = [self.authd], self.certificates.ca       # as visitor.Visitor wants a world

    @property
    def host_url(self):
        return f"https://localhost:{self.port}"

    def key(self, name="web1", realm="staff", scopes=("pam",)):
        return self.staff.installation.make_client(name, realm=realm, scopes=scopes)

    def host(self, directory, key=None, port=None):
        """A host with a key of its own; PORT: of a relay between."""
        url = self.host_url if port is None else f"https://localhost:{port}"
        return ServiceHost(directory, url, self.certificates, key or self.key())

    def stop(self):
        self.authd.stop()
