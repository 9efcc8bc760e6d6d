"""The functions are replaced under a running authd, whose connections have prepared the old ones."""

import threading

import world as worlds


def replace_functions(world):
    """As `counterfoil db migrate` does: all files in one transaction, as the owner."""
    text = "".join(path.read_text() for path in sorted((worlds.TOP / "sql/functions").glob("*.sql")))
    with world.connect("counterfoil_owner") as connection:
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute(text)
        connection.commit()


def test_sign_ins_go_on_after_the_functions_were_replaced(world):
    account = world.customer()
    assert world.sign_in(account).status_code == 200
    replace_functions(world)
    world.advance(worlds.PERIOD_S)
    assert world.sign_in(account).status_code == 200
    assert world.authd.management("/readyz") == 200


def test_a_function_with_a_changed_result_is_prepared_anew(world):
    account = world.create_account()
    assert world.api().get(f"/v1/accounts/{account.id}/factors").status_code == 200
    world.query("""DROP FUNCTION counterfoil.readiness();
        CREATE FUNCTION counterfoil.readiness(OUT writable boolean, OUT now_s integer, OUT schema_number smallint, OUT more text)
            LANGUAGE sql SECURITY DEFINER SET search_path = counterfoil, pg_temp
            AS $$ SELECT true, epoch(now_utc())::integer, 1000::smallint, '' $$;
        GRANT EXECUTE ON FUNCTION counterfoil.readiness() TO counterfoil_authd""")
    worlds.wait_until(lambda: world.authd.management("/readyz") == 200, "authd to be ready with the new function")
    replace_functions(world)
    worlds.wait_until(lambda: world.authd.management("/readyz") == 200, "authd to be ready with the old function")


def test_whoever_asks_while_they_are_replaced_gets_an_answer_or_503_and_never_a_defect(world):
    account = world.create_account()
    statuses = []

    def ask():
        api = world.api()
        for _ in range(40):
            statuses.append(api.get(f"/v1/accounts/{account.id}").status_code)

    callers = [threading.Thread(target=ask) for _ in range(4)]
    for caller in callers:
        caller.start()
    for _ in range(3):
        replace_functions(world)
    for caller in callers:
        caller.join(60)
    assert set(statuses) <= {200, 503}, {status: statuses.count(status) for status in set(statuses)}
    assert world.api().get(f"/v1/accounts/{account.id}").status_code == 200
