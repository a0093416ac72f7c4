//! The demo's stand-in, through the same commands as the real one.

use tapctl::adapters::pulumi::folder::RunStatus;
use tapctl::adapters::pulumi::{Pulumi, PulumiError, interrupt, stack, stack_run};
use tapctl::commands::run::{Context, print};
use tapctl::domain::confirm::{Confirmed, YesFlag};
use tapctl::domain::deploy::*;
use tapctl::standin::settings::Settings;

use super::support::{context, follow_until, request};

struct Demo {
    folder: tempfile::TempDir,
    context: Context,
}

impl Demo {
    fn new(settings: &Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.json");
        settings.write(&file).unwrap();
        let pulumi = Pulumi {
            program: env!("CARGO_BIN_EXE_tapctl").into(),
            prefix: vec!["__pulumi".into(), "--settings".into(), file.to_string_lossy().into_owned()],
            project: folder.path().to_owned(),
            stack: "demo".into(),
        };
        Self { context: context(folder.path(), pulumi), folder }
    }

    async fn order(&self) -> Confirmed<RunOrder> {
        let previewed = self.context.preview(false, request(), &mut |_| ()).await.unwrap();
        let order = RunOrder::up("demo", &previewed.run.id, previewed.plan).unwrap();
        Confirmed::by_flag(order, YesFlag::from_cli(true).unwrap())
    }
}

fn fast() -> Settings {
    Settings { speed: f64::INFINITY, ..Settings::default() }
}

fn calm() -> Situation {
    Situation {
        running: None,
        weight_change: None,
        standing: None,
        new_requests_per_min: None,
        unused_below_per_min: 1.0,
        provisioned: false,
    }
}

#[tokio::test]
async fn what_was_read_is_what_runs() {
    let demo = Demo::new(&fast());
    let c = &demo.context;
    assert!(c.prepare().await.unwrap(), "the stack is new");
    assert!(!c.prepare().await.unwrap());
    let order = demo.order().await;
    assert!(order.get().plan().touches_weights());
    let mut totals = Vec::new();
    let finished =
        c.execute(&order, &calm(), request(), &mut |deploy| totals.push(deploy.progress().total)).await.unwrap();
    assert!(finished.line.contains("--plan") && finished.line.contains("--refresh"), "{}", finished.line);
    assert!(totals.iter().all(|total| *total == Some(order.get().plan().total())));
    assert_eq!(finished.deploy.progress().done, order.get().plan().total());
    let json = print::finished_json(&finished);
    assert_eq!((json["result"].as_str(), json["operation"].as_str()), (Some("succeeded"), Some("up")));
    let mut text = Vec::new();
    print::finished(&finished, &mut text).unwrap();
    assert!(String::from_utf8(text).unwrap().contains("pulumi up ended well"));
    assert_eq!(stack_run(demo.folder.path()), Ok(None));
    assert!(stack::pending(&c.pulumi).await.unwrap().is_empty());
    assert_eq!(c.runs.ids().unwrap().len(), 2);
}

#[tokio::test]
async fn a_plan_for_a_world_that_changed_is_refused_in_those_words() {
    let demo = Demo::new(&fast());
    demo.context.prepare().await.unwrap();
    let (first, second) = (demo.order().await, demo.order().await);
    demo.context.execute(&first, &calm(), request(), &mut |_| ()).await.unwrap();
    let error = demo.context.execute(&second, &calm(), request(), &mut |_| ()).await.unwrap_err();
    assert!(error.to_string().starts_with("the world changed since you read the plan"), "{error}");
    assert_eq!(error.exit_code(), 7);
    assert_eq!(print::error_json(&error)["error"]["kind"], "world-changed");
}

#[tokio::test]
async fn a_failure_is_told_with_its_resource_and_its_message() {
    let demo = Demo::new(&Settings { fail: Some("migration-alb-prod".into()), ..fast() });
    demo.context.prepare().await.unwrap();
    let order = demo.order().await;
    let error = demo.context.execute(&order, &calm(), request(), &mut |_| ()).await.unwrap_err();
    let PulumiError::Failed(explanation) = &error else { panic!("{error:?}") };
    assert_eq!(explanation.kind, FailureKind::Resource);
    assert!(error.to_string().contains("migration-alb-prod") && error.to_string().contains("AccessDenied"), "{error}");
}

#[tokio::test]
async fn an_interrupt_in_the_middle_ends_in_good_order_and_can_be_read_again() {
    let demo = Demo::new(&Settings::default());
    demo.context.prepare().await.unwrap();
    let order = demo.order().await;
    let started = demo.context.start(&order, &calm(), request()).await.unwrap();
    follow_until(&started.dir, |deploy| deploy.progress().running > 0).await;
    assert!(stack_run(demo.folder.path()).unwrap().is_some());
    interrupt::ask_to_stop(&started.dir, "oncall", request().at).unwrap();
    let finished = demo.context.attach(None, &mut |_| ()).await.unwrap();
    assert_eq!(finished.deploy.ending(), Some(Ending::Canceled), "{:?}", finished.deploy.summary());
    assert!(matches!(&finished.status, RunStatus::Ended(end) if end.code == Some(1)), "{:?}", finished.status);
    assert_eq!(finished.failure.as_ref().unwrap().kind, FailureKind::Interrupted);
    assert_eq!(finished.ok().unwrap_err().exit_code(), 5);
}

#[tokio::test]
async fn no_run_starts_against_a_guard() {
    let demo = Demo::new(&fast());
    demo.context.prepare().await.unwrap();
    let order = demo.order().await;
    let moving = Situation { weight_change: Some("/change/C1".into()), ..calm() };
    let error = demo.context.execute(&order, &moving, request(), &mut |_| ()).await.unwrap_err();
    assert!(matches!(error, PulumiError::Refused(Refusal::WeightChange(_))));
    assert_eq!(error.exit_code(), 3);
    assert_eq!(demo.context.runs.ids().unwrap().len(), 1, "only the preview ran");
}
