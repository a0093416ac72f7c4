//! What the tests of the real binary share; what does the same thing stands here once.
//!
//! | here | for |
//! |---|---|
//! | `folder` | a folder that goes with its test, and with it what still runs in it |
//! | `drill` | a simulator as a process, hosts with their folders, one command and how it ended |
//! | `stack` | Pulumi's stack beside a simulator: the scenarios' fake Pulumi, its calls recorded and held |
//! | `terminal` | a cockpit or a question on a terminal: keys, and what stands on the screen |
//! | `night` | one host of a drill whose calls of AWS are recorded and held |
//! | `process` | a process beside the test: stopped, killed, waited for |
//! | `wire` | the way to AWS: writes recorded, a call held before or after it is carried out |
//! | `way` | the same way, on which calls are refused, lost, cut, doubled, delayed or altered |
//! | `rows` | a table whose rows are a test each, so that they run side by side |
//! | `locks` | files that are locked, so that a process stands still right before it writes |
//! | `pulumi` | the adapter alone, inside the test's process, with a shell script as Pulumi |
//!
//! There are two harnesses: this folder for tests of the whole, and the ports of `src/runtime/fakes.rs` for unit tests. What
//! else stands beside them is no double of either:
//!
//! | there | for | why not from here |
//! |---|---|---|
//! | `tapctl::script::Bastion`, with keys in `tests/cockpit/drill.rs` | the real loop in the test's own process | it is the product's own (`demo --script`); time is virtual, which no process has |
//! | `tests/pulumi_runs/workspace.rs` | the adapter on the real engine | neither Pulumi nor the cloud is made up |
//! | `tests/pulumi_runs/demo.rs` | how the demo sets up its fake Pulumi | that set-up is what is tested |
//! | `GoesOn` in `tests/cockpit/stack_reload.rs` | an `up` beside which the cockpit learns of the new stack | no scenario has a backend that is away at first |
//! | `src/adapters/aws/tests` | what the AWS adapter sends and how it reads answers | answers stand byte by byte, and a port would hide them |
//! | `src/sim/tests` | what the simulator answers | it is what everything here stands on, so nothing here can judge it |
//! | `Panics`, `SetBack`, `Works`, `Folders` in `src/runtime` | one port that does one wrong thing | a fault that one test needs |
//! | `tests/conformance` | the simulator before the Python SDK | a judge that is not of this crate |
//! | `tests/pulumi_engine`, `pulumi/tests` | the Pulumi program on the real engine, with a cloud in Python | it is AWS as Pulumi's providers see it, which `tapctl` never asks |

pub(crate) mod drill;
pub(crate) mod folder;
pub(crate) mod locks;
pub(crate) mod night;
pub(crate) mod process;
pub(crate) mod pulumi;
pub(crate) mod rows;
pub(crate) mod stack;
pub(crate) mod terminal;
pub(crate) mod way;
pub(crate) mod wire;

/// What does not come within this time does not come at all. Long, because a machine may be busy; a test that goes well
/// never waits for it.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
