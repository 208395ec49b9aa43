"""Runs over HTTP: started, watched, stopped, listed, deleted."""

from tests.service.client import LONG, QUICK, Served, parsed, problem


def test_a_run_is_started_watched_and_read(service: Served) -> None:
    run = service.start(**QUICK, name="Tuesday")

    heard = list(service.events(run))

    kinds = [kind for _, kind, _ in heard]
    assert kinds[0] == "snapshot"
    assert kinds[-1] == "end"
    numbers = [number for number, kind, _ in heard if kind != "snapshot"]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    end = heard[-1][2]
    assert (end["exit_code"], end["outcome"]) == (0, "pass")
    info = service.wait_for(run, "complete")
    assert (info["name"], info["outcome"], info["exercise"]) == ("Tuesday", "pass", True)
    assert info["sentence"]
    assert "report.html" in info["files"]
    report = service.http.get(f"/api/v1/runs/{run}/files/report.html")
    assert "【訓練】" in report.text
    assert "sandbox" in report.headers["content-security-policy"]
    assert "--run-id" not in " ".join(info["command"])
    assert "running:" not in " ".join(info["command"])
    assert info in service.get("/api/v1/runs")["runs"]


def test_who_comes_late_gets_everything_at_once(service: Served) -> None:
    run = service.start(**QUICK)
    service.wait_for(run, "complete")

    ((number, kind, whole),) = service.events(run)

    assert kind == "snapshot"
    assert whole["n"] == number
    assert whole["plan"]["run"] == run
    assert whole["end"]["exit_code"] == 0
    assert len(whole["sent"]) == len(whole["plan"]["alerts"])
    assert whole["progress"]["delivered"] == whole["progress"]["owed"] == 10
    assert sum(group["segments"]["delivery"]["n"] for group in whole["progress"]["groups"]) == 10


def test_who_comes_back_gets_what_was_missed(service: Served) -> None:
    run = service.start(**QUICK)
    everything = list(service.events(run))
    last = everything[-1][0]
    service.wait_for(run, "complete")

    again = list(service.events(run, last=last - 3))

    assert again == everything[-3:]
    headers = {"last-event-id": str(last)}
    answer = service.http.get(f"/api/v1/runs/{run}/events", headers=headers)
    assert answer.status_code == 204


def test_a_stop_ends_a_run_in_order(service: Served) -> None:
    run = service.start(**LONG)
    service.wait_for(run, "running")

    answer = service.http.post(f"/api/v1/runs/{run}/stop")

    assert answer.status_code == 202
    assert answer.json()["state"] == "stopping"
    info = service.wait_for(run, "incomplete")
    assert (info["exit_code"], info["outcome"]) == (105, "aborted")
    assert "summary.json" in info["files"]
    assert problem(service.http.post(f"/api/v1/runs/{run}/stop"))["status"] == 409


def test_a_stop_may_come_before_the_run_has_begun(service: Served) -> None:
    run = service.start(**LONG)

    assert service.http.post(f"/api/v1/runs/{run}/stop").status_code == 202

    info = service.wait_for(run, "failed", "incomplete")
    assert (info["exit_code"], info["outcome"]) == (105, "aborted")
    assert [kind for _, kind, _ in service.events(run)][-1] in {"snapshot", "end"}


def test_runs_at_once_have_topics_of_their_own(service: Served) -> None:
    runs = [service.start(**LONG) for _ in range(2)]
    for run in runs:
        service.wait_for(run, "running")

    roots = {service.info(run)["root"] for run in runs}

    assert roots == {"alertsim", "alertsim-2"}
    busy = service.http.delete(f"/api/v1/runs/{runs[0]}")
    assert problem(busy)["status"] == 409
    for run in runs:
        service.http.post(f"/api/v1/runs/{run}/stop")
        service.wait_for(run, "incomplete")
    summaries = [service.get(f"/api/v1/runs/{run}/files/summary.json") for run in runs]
    assert [each["ledger"]["total"]["unexpected"] for each in summaries] == [0, 0]


def test_a_deleted_run_is_gone(service: Served) -> None:
    run = service.start(**QUICK)
    service.wait_for(run, "complete")

    assert service.http.delete(f"/api/v1/runs/{run}").status_code == 204

    assert problem(service.http.get(f"/api/v1/runs/{run}"))["status"] == 404
    assert not (service.store / run).exists()
    assert not list(service.store.glob(f".service/*/{run}*"))


def test_a_scenario_is_sent_as_text(service: Served) -> None:
    text = 'schema: "1.0"\nid: my-drill\nextends: drill-minimal\ntitle: A drill of my own\n'

    checked = service.http.post("/api/v1/scenarios/validate", json={"scenario_yaml": text})
    run = service.start(**QUICK | {"scenario": None, "scenario_yaml": text})

    assert checked.json()["title"] == "A drill of my own"
    info = service.wait_for(run, "complete")
    assert info["scenario"] == {"id": "my-drill", "title": "A drill of my own"}


def test_a_threshold_that_fails_fails_the_run(service: Served) -> None:
    run = service.start(**QUICK, thresholds=["delivered: count==11"])

    info = service.wait_for(run, "complete")

    assert (info["exit_code"], info["outcome"]) == (99, "fail")


def test_news_say_that_a_run_is_new_and_how_it_ended(service: Served) -> None:
    with service.http.stream("GET", "/api/v1/events") as stream:
        heard = parsed(stream.iter_lines())
        assert next(heard)[1] == "hello"
        run = service.start(**QUICK)
        states = []
        for _, kind, told in heard:
            if kind == "run" and told["run"]["run"] == run:
                states.append(told["run"]["state"])
                if states[-1] == "complete":
                    break

    assert states[0] in {"queued", "starting"}
    assert "running" in states
