//! What Prometheus makes of the alerts: when each of them fires, and when it does not.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use session_tests::installed;

/// What happens in a minute, in the words of the metrics, and the alert that this is to raise.
struct Situation {
    alert: &'static str,
    /// Series, and by how much each grows.
    series: &'static [(&'static str, u32)],
    /// Who is named in the alert.
    labels: &'static str,
}

const HEALTHY: &[(&str, u32)] = &[
    (r#"session_loads_total{session="visitor"}"#, 1000),
    (r#"session_load_failures_total{session="visitor"}"#, 1),
    (r#"session_commits_total{session="visitor",outcome="updated"}"#, 1000),
    (r#"session_commits_total{session="visitor",outcome="failed"}"#, 1),
    (r#"session_conflicts_total{session="visitor"}"#, 10),
    (r#"session_fields_overlapped_total{session="visitor"}"#, 1),
    (r#"session_purge_batches_total{session="visitor"}"#, 1),
    (r#"session_store_seconds_bucket{session="visitor",operation="load",le="0.25"}"#, 1000),
    (r#"session_store_seconds_bucket{session="visitor",operation="load",le="2.5"}"#, 1000),
    (r#"session_store_seconds_bucket{session="visitor",operation="load",le="+Inf"}"#, 1000),
];

const SITUATIONS: &[Situation] = &[
    Situation {
        alert: "SessionLoadsFail",
        series: &[(r#"session_load_failures_total{session="visitor"}"#, 20)],
        labels: "severity: page, session: visitor",
    },
    Situation {
        alert: "SessionCommitsFail",
        series: &[(r#"session_commits_total{session="visitor",outcome="failed"}"#, 20)],
        labels: "severity: page, session: visitor",
    },
    Situation {
        alert: "SessionStoreIsSlow",
        series: &[(r#"session_store_seconds_bucket{session="visitor",operation="load",le="0.25"}"#, 980)],
        labels: "severity: page, session: visitor, operation: load",
    },
    Situation {
        alert: "SessionConflictsAreMany",
        series: &[(r#"session_conflicts_total{session="visitor"}"#, 300)],
        labels: "severity: ticket, session: visitor",
    },
    Situation {
        alert: "SessionFieldsAreOverwritten",
        series: &[(r#"session_fields_overlapped_total{session="visitor"}"#, 30)],
        labels: "severity: ticket, session: visitor",
    },
    Situation {
        alert: "SessionPurgesStopped",
        series: &[(r#"session_purge_batches_total{session="visitor"}"#, 0)],
        labels: "severity: ticket",
    },
];

impl Situation {
    /// As a test of Prometheus: three hours of it, and then the alerts.
    fn test(&self, expected: bool) -> String {
        let mut test = String::from("  - interval: 1m\n    input_series:\n");
        let series = HEALTHY.iter().map(|(series, by)| {
            let otherwise = self.series.iter().find(|(other, _)| expected && other == series);
            (series, otherwise.map_or(*by, |(_, by)| *by))
        });
        for (series, by) in series {
            let _ = writeln!(test, "      - series: '{series}'\n        values: '0+{by}x180'");
        }
        let _ = writeln!(test, "    alert_rule_test:\n      - eval_time: 3h\n        alertname: {}", self.alert);
        if expected {
            let _ = writeln!(test, "        exp_alerts:\n          - exp_labels: {{ {} }}", self.labels);
            let _ = writeln!(test, "            exp_annotations:\n              summary: {:?}", self.summary());
        }
        test
    }

    /// What the alert says, with the labels in their places.
    fn summary(&self) -> String {
        let alerts = super::read("monitoring/alerts.yml");
        let rule = alerts.split("- alert: ").find(|rule| rule.starts_with(self.alert)).expect("a rule");
        let (_, summary) = rule.split_once("summary: \"").expect("a summary");
        let summary = summary.split('"').next().unwrap_or_default();
        summary.replace("{{ $labels.session }}", "visitor").replace("{{ $labels.operation }}", "load")
    }
}

/// Runs `promtool` on a file, and fails with what it says.
fn promtool(program: &Path, arguments: &[&str], file: &Path) {
    let done = Command::new(program).args(arguments).arg(file).output().expect("promtool runs");
    let said = [done.stdout, done.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(done.status.success(), "promtool {}: {said}", arguments.join(" "));
}

#[test]
fn each_alert_fires_when_it_should_and_not_when_all_is_well() {
    let Some(program) = installed::find("SESSION_TEST_PROMTOOL", &["promtool"]) else {
        return installed::leave_out("promtool", "name it in SESSION_TEST_PROMTOOL");
    };
    let alerts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/monitoring/alerts.yml");
    let alerts = alerts.canonicalize().expect("a path");
    promtool(&program, &["check", "rules"], &alerts);

    let mut tests = format!("rule_files: [{}]\nevaluation_interval: 1m\ntests:\n", alerts.display());
    for situation in SITUATIONS {
        tests += &situation.test(true);
        tests += &situation.test(false);
    }
    tests += "  - interval: 1m\n    input_series: []\n    alert_rule_test:\n      - eval_time: 1h\n";
    tests += "        alertname: SessionMetricsAreMissing\n        exp_alerts:\n";
    tests += "          - exp_labels: { severity: ticket }\n            exp_annotations:\n";
    let missing = Situation { alert: "SessionMetricsAreMissing", series: &[], labels: "" };
    let _ = writeln!(tests, "              summary: {:?}", missing.summary());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("alerts.test.yml");
    fs::write(&file, tests).expect("a file");
    promtool(&program, &["test", "rules"], &file);
    assert_eq!(super::read("monitoring/alerts.yml").matches("- alert: ").count(), SITUATIONS.len() + 1, "all of them");
}
