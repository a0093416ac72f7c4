//! The demo's stand-in, through the same commands as the real one.

use tapctl::adapters::pulumi::RunStatus;
use tapctl::adapters::pulumi::headless::Context;
use tapctl::adapters::pulumi::{Pulumi, PulumiError, interrupt, stack, stack_run};
use tapctl::commands::run_text as print;
use tapctl::domain::confirm::{Confirmed, YesFlag};
use tapctl::domain::pulumi::config::SetConfig;
use tapctl::domain::pulumi::*;
use tapctl::fake_pulumi::settings::{FakeStack, Settings};
use tapctl::sim::{Scenario, Server, Sim, SimConfig};

use super::workspace::calm;
use crate::support::folder::Folder;
use crate::support::pulumi::{context, created, follow_until, request};

struct Demo {
    folder: Folder,
    context: Context,
}

impl Demo {
    fn new(settings: &Settings) -> Self {
        let folder = Folder::new();
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

    async fn run_request(&self) -> Confirmed<RunRequest> {
        let previewed = self.context.preview(false, request(), &mut |_| ()).await.unwrap();
        let run_request = RunRequest::up("demo", &previewed.run.id, previewed.plan).unwrap();
        Confirmed::by_flag(run_request, YesFlag::from_cli(true).unwrap())
    }
}

fn fast() -> Settings {
    Settings { speed: f64::INFINITY, ..Settings::default() }
}

#[tokio::test]
async fn what_was_read_is_what_runs() {
    let demo = Demo::new(&fast());
    let c = &demo.context;
    assert!(created(c).await, "the stack is new");
    assert!(!created(c).await);
    let run_request = demo.run_request().await;
    assert!(run_request.get().plan().touches_weights());
    let mut totals = Vec::new();
    let finished = c
        .execute(&run_request, &calm(), request(), &mut |run_state| totals.push(run_state.progress().total))
        .await
        .unwrap();
    assert!(finished.line.contains("--plan") && finished.line.contains("--refresh"), "{}", finished.line);
    assert!(totals.iter().all(|total| *total == Some(run_request.get().plan().total())));
    assert_eq!(finished.state.progress().done, run_request.get().plan().total());
    let json = print::finished_json(&finished);
    assert_eq!((json["result"].as_str(), json["operation"].as_str()), (Some("succeeded"), Some("up")));
    let mut text = Vec::new();
    print::finished(&finished, &mut text).unwrap();
    assert!(String::from_utf8(text).unwrap().contains("pulumi up succeeded"));
    assert_eq!(stack_run(demo.folder.path()), Ok(None));
    assert!(stack::pending(&c.pulumi).await.unwrap().is_empty());
    assert_eq!(c.runs.ids().unwrap().len(), 2);
}

#[tokio::test]
async fn a_plan_for_a_world_that_changed_is_refused_in_those_words() {
    let demo = Demo::new(&fast());
    created(&demo.context).await;
    let (first, second) = (demo.run_request().await, demo.run_request().await);
    demo.context.execute(&first, &calm(), request(), &mut |_| ()).await.unwrap();
    let error = demo.context.execute(&second, &calm(), request(), &mut |_| ()).await.unwrap_err();
    assert!(error.to_string().starts_with("the world changed since you read the plan"), "{error}");
    assert_eq!(error.exit_code(), 7);
    assert_eq!(print::error_json(&error)["error"]["kind"], "world-changed");
}

#[tokio::test]
async fn a_failure_is_told_with_its_resource_and_its_message() {
    let demo = Demo::new(&Settings { fail: Some("migration-alb-prod".into()), ..fast() });
    created(&demo.context).await;
    let run_request = demo.run_request().await;
    let error = demo.context.execute(&run_request, &calm(), request(), &mut |_| ()).await.unwrap_err();
    let PulumiError::Failed(explanation) = &error else { panic!("{error:?}") };
    assert_eq!(explanation.kind, FailureKind::Resource);
    assert!(error.to_string().contains("migration-alb-prod") && error.to_string().contains("AccessDenied"), "{error}");
}

#[tokio::test]
async fn an_interrupt_in_the_middle_ends_in_good_order_and_can_be_read_again() {
    let demo = Demo::new(&Settings::default());
    created(&demo.context).await;
    let run_request = demo.run_request().await;
    let started = demo.context.start(&run_request, &calm(), request()).await.unwrap();
    follow_until(&started.dir, |run_state| run_state.progress().running > 0).await;
    assert!(stack_run(demo.folder.path()).unwrap().is_some());
    interrupt::ask_to_stop(&started.dir, &request()).unwrap();
    let finished = demo.context.attach(None, &mut |_| ()).await.unwrap();
    assert_eq!(finished.state.ending(), Some(RunOutcome::Canceled), "{:?}", finished.state.summary());
    assert!(matches!(&finished.status, RunStatus::Ended(end) if end.code == Some(1)), "{:?}", finished.status);
    assert_eq!(finished.failure.as_ref().unwrap().kind, FailureKind::Interrupted);
    assert_eq!(finished.ok().unwrap_err().exit_code(), 5);
}

#[tokio::test]
async fn no_run_starts_against_a_guard() {
    let demo = Demo::new(&fast());
    created(&demo.context).await;
    let run_request = demo.run_request().await;
    let moving = RunPreconditions { weight_change: Some("/change/C1".into()), ..calm() };
    let error = demo.context.execute(&run_request, &moving, request(), &mut |_| ()).await.unwrap_err();
    assert!(matches!(error, PulumiError::Refused(BlockedReason::WeightChange(_))));
    assert_eq!(error.exit_code(), 3);
    assert_eq!(demo.context.runs.ids().unwrap().len(), 1, "only the preview ran");
}

/// A scenario's simulator on loopback, and the stand-in as the demo sets it up.
struct SetUp {
    sim: Sim,
    folder: Folder,
    context: Context,
}

impl SetUp {
    async fn of(scenario: Scenario) -> Self {
        let sim = Sim::new(SimConfig { scenario, ..SimConfig::default() });
        let server = Server::bind(sim.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let endpoint = server.endpoint();
        tokio::spawn(server.serve(std::future::pending()));
        let folder = Folder::new();
        let pulumi =
            tapctl::fake_pulumi::set_up(&folder.path().join("pulumi"), &sim, f64::INFINITY, &endpoint).unwrap();
        let pulumi = Pulumi { program: env!("CARGO_BIN_EXE_tapctl").into(), ..pulumi };
        Self { sim, context: context(folder.path(), pulumi), folder }
    }

    async fn preview(&self, destroy: bool) -> Result<RunRequest, PulumiError> {
        let previewed = self.context.preview(destroy, request(), &mut |_| ()).await?;
        let make = if destroy { RunRequest::destroy } else { RunRequest::up };
        Ok(make("demo", &previewed.run.id, previewed.plan).unwrap())
    }

    async fn run(&self, run_request: RunRequest) -> Result<(), PulumiError> {
        let run_request = Confirmed::by_flag(run_request, YesFlag::from_cli(true).unwrap());
        self.context.execute(&run_request, &calm(), request(), &mut |_| ()).await.map(drop)
    }

    fn parts(&self) -> Vec<String> {
        serde_json::from_value(self.sim.state()["stack"].clone()).unwrap()
    }

    /// What an operator does with the simple record: one batch that makes the weighted legacy record of it.
    fn adopt(&self) {
        self.turn(&[("DELETE", None), ("CREATE", Some(("legacy", 100)))]);
    }

    /// And on the last day: the pair is one simple record again.
    fn release(&self) {
        self.turn(&[("DELETE", Some(("legacy", 100))), ("DELETE", Some(("new", 0))), ("CREATE", None)]);
    }

    /// One batch on the name's A records: a member with its weight, or the simple record to the legacy stack.
    fn turn(&self, changes: &[(&str, Option<(&str, u8)>)]) {
        let outputs = self.sim.outputs();
        let text = |key: &str| outputs[key].as_str().unwrap().to_owned();
        let change = |(action, member): &(&str, Option<(&str, u8)>)| {
            let set = member.map_or_else(String::new, |(side, weight)| {
                let id = text(&format!("{side}SetIdentifier"));
                format!("<SetIdentifier>{id}</SetIdentifier><Weight>{weight}</Weight>")
            });
            let (zone, dns) = match member {
                Some(("new", _)) => (text("albZoneId"), text("albDnsName")),
                _ => ("Z35SXDOTRQ7X7K".to_owned(), format!("dualstack.{}", text("legacyLbDnsName"))),
            };
            format!(
                "<Change><Action>{action}</Action><ResourceRecordSet><Name>{}</Name><Type>A</Type>{set}<AliasTarget>\
                 <HostedZoneId>{zone}</HostedZoneId><DNSName>{dns}.</DNSName><EvaluateTargetHealth>true\
                 </EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change>",
                text("recordName")
            )
        };
        let body = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes>\
             {}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
            changes.iter().map(change).collect::<String>()
        );
        let zone = text("hostedZoneId");
        let request = http::Request::post(format!("/2013-04-01/hostedzone/{zone}/rrset"))
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=0",
            )
            .body(body.into())
            .unwrap();
        let reply = self.sim.handle(request);
        assert_eq!(reply.response.status(), 200, "{:?}", reply.response.body());
    }
}

#[tokio::test]
async fn from_nothing_the_way_leads_over_the_configuration_and_the_name_to_a_stack_and_back() {
    let set_up = SetUp::of(Scenario::Fresh).await;
    let pulumi = &set_up.context.pulumi;
    assert!(stack::config(pulumi).await.unwrap_err().to_string().contains("no stack named 'demo' found"));
    assert!(created(&set_up.context).await, "the stack is new");
    assert_eq!(stack::outputs(pulumi).await.unwrap(), serde_json::json!({}));
    let config = stack::config(pulumi).await.unwrap();
    assert!(config.contains_key("tap:recordName") && !config.contains_key("tap:owner"));
    let unset = set_up.preview(false).await.unwrap_err();
    assert!(unset.to_string().contains("tap:owner is not set"), "{unset}");
    let owner = SetConfig::new(&pulumi.stack, true, "owner", "night-shift", true).unwrap();
    stack::set_config(pulumi, &Confirmed::by_flag(owner, YesFlag::from_cli(true).unwrap())).await.unwrap();
    let taken = set_up.preview(false).await.unwrap_err();
    assert!(taken.to_string().contains("'app.example.com', which has a plain A record"), "{taken}");
    assert!(taken.to_string().contains("'migration-legacy-prod'"), "{taken}");
    assert_eq!(set_up.parts(), Vec::<String>::new());
    set_up.adopt();
    let run_request = set_up.preview(false).await.unwrap();
    assert_eq!(set_up.parts(), Vec::<String>::new(), "a preview makes nothing");
    set_up.run(run_request).await.unwrap();
    assert_eq!(set_up.parts().len(), 23);
    assert_eq!(set_up.sim.state()["traffic"]["new_weight"], 0);
    assert_eq!(stack::outputs(pulumi).await.unwrap()["recordName"], "app.example.com");
    let early = set_up.preview(true).await.unwrap();
    let refused = set_up.run(early).await.unwrap_err();
    assert!(matches!(refused, PulumiError::Refused(BlockedReason::DeletesRecord(..))), "{refused}");
    set_up.release();
    let run_request = set_up.preview(true).await.unwrap();
    set_up.run(run_request).await.unwrap();
    assert_eq!(set_up.parts(), Vec::<String>::new());
    assert_eq!(stack::outputs(pulumi).await.unwrap(), serde_json::json!({}));
}

#[tokio::test]
async fn of_an_up_that_fails_in_the_middle_the_made_half_exists_and_the_second_one_goes_through() {
    let set_up = SetUp::of(Scenario::UpFails).await;
    let failed = set_up.run(set_up.preview(false).await.unwrap()).await.unwrap_err();
    assert!(failed.to_string().contains("TooManyLoadBalancers"), "{failed}");
    let parts = set_up.parts();
    assert!(parts.contains(&"target-group".to_owned()) && !parts.contains(&"balancer".to_owned()), "{parts:?}");
    assert_eq!(stack::outputs(&set_up.context.pulumi).await.unwrap(), serde_json::json!({}));
    set_up.run(set_up.preview(false).await.unwrap()).await.unwrap();
    assert_eq!(set_up.parts().len(), 23);
}

#[tokio::test]
async fn of_a_run_that_is_interrupted_only_what_was_made_exists() {
    let set_up = SetUp::of(Scenario::Reattach).await;
    let run_request = set_up.preview(false).await.unwrap();
    let file = set_up.folder.path().join("pulumi/fake_pulumi.json");
    Settings { speed: 60.0, ..Settings::read(&file).unwrap() }.write(&file).unwrap();
    let run_request = Confirmed::by_flag(run_request, YesFlag::from_cli(true).unwrap());
    let started = set_up.context.start(&run_request, &calm(), request()).await.unwrap();
    follow_until(&started.dir, |run_state| run_state.progress().done > 0).await;
    interrupt::ask_to_stop(&started.dir, &request()).unwrap();
    let finished = set_up.context.attach(None, &mut |_| ()).await.unwrap();
    assert_eq!(finished.state.ending(), Some(RunOutcome::Canceled));
    let made = FakeStack::read(&file).unwrap().resources;
    assert!(made.len() < run_request.get().plan().total() as usize, "{}", made.len());
    assert!(set_up.parts().len() < 17);
}

#[tokio::test]
async fn a_simulator_that_is_gone_fails_the_run_and_says_so() {
    let set_up = SetUp::of(Scenario::UpFails).await;
    let run_request = set_up.preview(false).await.unwrap();
    let file = set_up.folder.path().join("pulumi/fake_pulumi.json");
    let nobody = Some("http://127.0.0.1:1".to_owned());
    Settings { simulator: nobody, ..Settings::read(&file).unwrap() }.write(&file).unwrap();
    let error = set_up.run(run_request).await.unwrap_err();
    assert!(error.to_string().contains("the simulator at http://127.0.0.1:1 does not answer"), "{error}");
}
