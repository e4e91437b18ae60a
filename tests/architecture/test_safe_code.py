"""Habits that end in holes: SQL put together from values, naive clocks, guessable numbers, comparing secrets."""

import ast
import re

from tests.architecture.sources import ROOT, Source, dotted, functions, sources

SQL_PARTS = {
    "crm/check_ins/repository.py": ({"CHECKED_IN"}, "a constant of the profiles"),
    "crm/db/joint.py": ({"', '.join(made)", "', '.join(told) or '1'"}, "words of the modules' own parts"),
    "crm/profiles/statements.py": ({"_COLUMNS"}, "names of the table's columns"),
    "crm/db/partitions.py": ({"parent"}, "the name of a table, which a migration says"),
    "crm/migrations/versions/r0011_points.py": ({"table", "function"}, "names that stand in the migration"),
    "crm/migrations/versions/r0014_deliveries.py": ({"table"}, "names that stand in the migration"),
    "crm/migrations/versions/r0023_narrow_deliveries.py": (
        {"_JOINED_RESULTS", "_OPEN_BULK", "_OPEN_REPLY", "_RESULT"},
        "parts that stand in the migration",
    ),
    "crm/migrations/versions/r0032_ledger_whole.py": ({"name"}, "names that stand in the migration"),
    "crm/migrations/versions/r0043_member_locks.py": ({"name"}, "names that stand in the migration"),
    "crm/migrations/versions/r0045_ledger_sets.py": ({"name"}, "names that stand in the migration"),
    "crm/migrations/versions/r0046_one_moment.py": ({"name"}, "names that stand in the migration"),
    "crm/points/verification.py": ({"query"}, "one of the module's own queries"),
    "crm/segments/service.py": ({"PREVIEW_SECONDS"}, "a constant of the module"),
    "runtime/backup/loading.py": ({"quoted", "last"}, "the quoted name of a schema, and statements of our own"),
    "runtime/demo_data/removing.py": ({"name", "word"}, "table names of the models, and two words"),
    "runtime/embedded/postmaster.py": (
        {"OWNER", "DATABASE", "record.password"},
        "our own names, and a password that we made of letters and digits; neither can be a parameter",
    ),
}
"""What may be put into SQL as text in which file, and why it cannot come from outside."""
PLAIN_COMPARISONS = {
    "crm/audit/service.py": "digests of the log, for whoever may verify it",
    "crm/operators/idempotency.py": "the digest of a body that the client itself sent",
    "crm/points/checkpoints.py": "digests of the ledger, for whoever may verify it",
    "crm/points/verification.py": "digests of the ledger, for whoever may verify it",
    "bot/channels/telegram/access.py": "the token that is stored with the one in use: nobody is let in by it",
    "runtime/defaults.py": "the token of the settings with the stored one: nobody is let in by it",
    "admin_api/console/account.py": "a new password with its repetition in the same form",
    "admin_api/console/one_time_links.py": "a new password with its repetition in the same form",
}
"""Files that compare something with a secret's name by `==`, and why nobody can learn from the time it takes."""
CLOCKS = {"crm/kit/clock.py"}
_SQL = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE|ALTER|DROP|TRUNCATE|SET LOCAL|GRANT|COPY)\s")
_RUNNERS = {"text", "execute", "literal_column", "DDL", "exec_driver_sql", "fetch", "fetchrow", "fetchval"}
_SECRET = re.compile(r"(token|secret|signature|hash|password|digest)s?$")
_NAIVE = {"now", "utcnow", "today", "utcfromtimestamp"}


def glued_sql(source: Source) -> set[str]:
    """What is put into SQL as text: the expressions between the constant parts."""
    found: set[str] = set()
    for node in ast.walk(source.tree):
        parts = _parts(node)
        first = next((part.value for part in parts if isinstance(part, ast.Constant)), "")
        if parts and isinstance(first, str) and _SQL.match(first):
            found |= {ast.unparse(part) for part in parts if not isinstance(part, ast.Constant)}
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in _RUNNERS and node.args:
            found |= {ast.unparse(part) for part in _parts(node.args[0]) if not isinstance(part, ast.Constant)}
    return found


def _parts(node: ast.AST) -> list[ast.expr]:
    """The pieces of a text that is put together by an f-string, `+`, `%` or `format`."""
    match node:
        case ast.JoinedStr(values):
            return [value.value if isinstance(value, ast.FormattedValue) else value for value in values]
        case ast.BinOp(left, ast.Add() | ast.Mod(), right) if _is_text(left) or _is_text(right):
            return [*(_parts(left) or [left]), *(_parts(right) or [right])]
        case ast.Call(ast.Attribute(value, "format"), arguments, keywords) if _is_text(value):
            return [*(_parts(value) or [value]), *arguments, *(keyword.value for keyword in keywords)]
    return []


def _is_text(node: ast.expr) -> bool:
    return bool(_parts(node)) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def asks_the_machine(source: Source) -> list[str]:
    """Calls of the machine's own clock, and uses of `random`."""
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute):
            owner = dotted(node.value).rpartition(".")[2]
            if (owner in {"datetime", "date"} and node.attr in _NAIVE) or dotted(node) in {"time.time", "time.time_ns"}:
                found.append(f"{source.name}:{node.lineno} {dotted(node)}")
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = {alias.name for alias in node.names} if isinstance(node, ast.Import) else {node.module}
            if "random" in modules:
                found.append(f"{source.name}:{node.lineno} random")
    return found


def compared_secrets(source: Source) -> list[str]:
    """Comparisons by `==` or `!=` of two values, one of them named like a secret; columns are compared by SQL."""
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Compare) and any(isinstance(sign, ast.Eq | ast.NotEq) for sign in node.ops):
            sides = [node.left, *node.comparators]
            named = [dotted(side.func if isinstance(side, ast.Call) else side) for side in map(_awaited, sides)]
            is_column = any(re.search(r"Row\.\w+$|\.c\.\w+$", name) for name in named)
            is_plain = any(isinstance(side, ast.Constant) for side in sides)
            if not is_column and not is_plain and any(_SECRET.search(name) for name in named):
                found.append(f"{source.name}:{node.lineno} {ast.unparse(node)}")
    return found


def _awaited(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Await) else node


def test_sql_is_never_put_together_from_values() -> None:
    found = {source.name: parts for source in sources() if (parts := glued_sql(source))}
    assert found == {name: parts for name, (parts, _) in SQL_PARTS.items()}


def test_time_and_chance_come_from_one_place() -> None:
    assert [place for source in sources() if source.name not in CLOCKS for place in asks_the_machine(source)] == []


def test_secrets_are_compared_in_constant_time() -> None:
    found = {source.name: places for source in sources() if (places := compared_secrets(source))}
    assert [places for name, places in found.items() if name not in PLAIN_COMPARISONS] == []
    assert set(found) == set(PLAIN_COMPARISONS), "what is listed without need goes"


def test_templates_escape_everything() -> None:
    unsafe = re.compile(
        r"\|\s*safe\b|\bautoescape\b|\bMarkup\b|\bx-html\b|\son[a-z]+\s*=\s*[\"']|javascript:", re.IGNORECASE
    )
    pages = [path for path in sorted((ROOT / "templates").rglob("*")) if path.suffix in {".html", ".j2", ".svg"}]
    assert pages
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in pages
        if path.name != "styleguide.html"  # shows what hostile messages look like
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if unsafe.search(line)
    ]
    assert found == []
    escaping = [source.name for source in sources() if re.search(r"autoescape\s*=\s*False|\bMarkup\(", source.text)]
    assert escaping == []


def test_nobody_runs_what_was_written_at_run_time() -> None:
    calls = {"eval", "exec", "compile", "pickle.loads", "yaml.load", "os.system", "marshal.loads"}
    found = [
        f"{source.name}:{node.lineno}"
        for source in sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and (dotted(node.func) in calls or any(keyword.arg == "shell" for keyword in node.keywords))
    ]
    assert found == []


def test_offenders_are_noticed() -> None:
    def source(text: str) -> Source:
        return Source("x.py", text, ast.parse(text))

    assert glued_sql(source('text(f"SELECT {name}")')) == {"name"}
    assert glued_sql(source('query = "SELECT * FROM x WHERE id = %s" % key')) == {"key"}
    assert glued_sql(source('query = "UPDATE x SET y = " + value + " WHERE true"')) == {"value"}
    assert glued_sql(source('run("DELETE FROM {}".format(table))')) == {"table"}
    assert glued_sql(source('session.execute("x" + where)')) == {"where"}
    assert glued_sql(source('text("SELECT 1 WHERE id = :id")\nlog(f"Select {one}")')) == set()
    assert len(asks_the_machine(source("import random\ndatetime.now()\ndt.datetime.utcnow()\ntime.time()"))) == 4
    assert asks_the_machine(source("clock.now(session)\nprocess_now()")) == []
    assert (
        len(compared_secrets(source("a = given == self.token\nb = await x.secret(1) != y\nc = sign.digest() == z")))
        == 3
    )
    assert compared_secrets(source("a = Row.token_hash == digest(x)\nb = token == ''\nc = token is None")) == []
    assert [function.name for function in functions(ast.parse("def a(): ...\nasync def b(): ..."))] == ["a", "b"]
