"""standby.py: a replica that follows a Postgres by streaming, and can be made the primary in its place."""

import shutil

import world as worlds


class Standby(worlds.Postgres):
    """A replica of PRIMARY, on a port of its own, with everything that was there when it was made."""

    def __init__(self, primary):
        super().__init__(self.place(primary.directory.parent / "standby"))
        self.primary = primary
        self.password, self.port = primary.password, worlds.free_port()
        self._make_sockets()
        self.log.touch()
        for path in (self.directory, self.log):
            if self.user is not None:
                shutil.chown(path, self.user, self.user)
        source = f"host=127.0.0.1 port={primary.port} user=postgres password={primary.password}"
        self._as_server(self.bin / "pg_basebackup", "-d", source, "-D", self.data, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as out:
            out.write(f"unix_socket_directories = '{self.sockets}'\n")
        self.start()

    def has_everything(self):
        """Has all that the primary wrote arrived and been applied?"""
        return self.primary.query("postgres", "SELECT count(*) = 1 AND bool_and(replay_lsn >= pg_current_wal_lsn()) "
                                              "FROM pg_stat_replication")[0][0]

    def promote(self):
        self._as_server(self.bin / "pg_ctl", "promote", "-w", "-s", "-D", self.data)
