//! Every default of the program, but for the gates' limits, which stand with their reasons in
//! [`Policy`](crate::domain::gate::Policy).

use std::time::Duration;

/// The scenario that is played when none is named.
pub const SCENARIO: &str = "steady";
/// Seed of the simulator.
pub const SEED: u64 = 1;
/// A scenario in the cockpit should not take as long as life: 40 s to INSYNC become two.
pub const DEMO_SPEED: f64 = 20.0;
/// `tapctl sim` keeps pace with life, because other programs may be its clients.
pub const SIM_SPEED: f64 = 1.0;
/// Where `tapctl sim` listens: loopback, any free port.
pub const SIM_LISTEN: &str = "127.0.0.1:0";
/// Folder of the bundled Pulumi program, seen from the working directory.
pub const PULUMI_DIR: &str = "pulumi";
/// Where the bundled program keeps the target region, seen from its folder.
pub const PULUMI_REGION_FILE: &str = "lib/AWS_REGION";
/// One question to AWS, retries included.
pub const CALL_DEADLINE: Duration = Duration::from_secs(10);
/// All questions of a snapshot together; they are asked at once.
pub const COLLECT_DEADLINE: Duration = Duration::from_secs(15);
/// `pulumi stack output` starts plugins and may ask a remote backend.
pub const PULUMI_DEADLINE: Duration = Duration::from_secs(60);
/// Other programs that `doctor` asks for their version.
pub const VERSION_DEADLINE: Duration = Duration::from_secs(10);
/// Route 53 as a rule needs 40 s until INSYNC and now and then some minutes; other tools wait for half an hour, too.
pub const INSYNC_DEADLINE: Duration = Duration::from_secs(1800);
/// How long a program on loopback may take to say that it is a simulator.
pub const PROBE_DEADLINE: Duration = Duration::from_millis(300);
