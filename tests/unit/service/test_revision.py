"""The newest migration, told without Alembic, is the one that Alembic would go to."""

import subprocess
import sys

from alembic.config import Config
from alembic.script import ScriptDirectory

from service.revision import migrations_folder, newest_revision


def test_it_is_alembics_own_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.set_main_option("path_separator", "os")
    assert newest_revision() == ScriptDirectory.from_config(config).get_current_head()


def test_a_web_process_loads_no_alembic() -> None:
    """It would be a twelfth of the time of its start."""
    told = "import service.app, sys; print(sorted({'alembic', 'mako'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
