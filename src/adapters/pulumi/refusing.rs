//! Pulumi's ports where nothing may be changed, or where there is no Pulumi: they refuse by being what they are.

use std::pin::Pin;

use crate::domain::confirm::Confirmed;
use crate::domain::provision::{Carried, PulumiAnswer, PulumiProblem, PulumiQuery, PulumiStatus};
use crate::domain::pulumi::guard::BlockedReason;
use crate::domain::pulumi::{PulumiChange, PulumiError};
use crate::domain::units::Timestamp;
use crate::ports::{Provisioner, PulumiControl, PulumiFuture, Tell};

/// Changes nothing, whatever was confirmed: what `--read-only` hands out.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOnlyPulumi;

impl PulumiControl for ReadOnlyPulumi {
    fn carry_out<'a>(
        &'a self,
        _change: &'a Confirmed<PulumiChange>,
        _operator: &'a str,
        _intent: &'a str,
    ) -> PulumiFuture<'a, Carried> {
        Box::pin(async { Err(PulumiError::Refused(BlockedReason::ReadOnly)) })
    }
}

/// A host on which Pulumi is not used: everything is refused with the way out.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPulumi;

const NO_PROGRAM: &str = "no Pulumi program was given, so nothing can be provisioned from here";

impl Provisioner for NoPulumi {
    fn ask(&self, query: PulumiQuery, _operator: String, tell: Tell) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let trouble = PulumiProblem {
            message: NO_PROGRAM.to_owned(),
            hint: "start tapctl in the folder that holds the program, or name it with `program` in the configuration"
                .to_owned(),
        };
        Box::pin(async move {
            let answer = match query {
                PulumiQuery::Status => PulumiAnswer::Looked(Box::new(PulumiStatus {
                    asked_at: Timestamp::default(),
                    pulumi: Err(trouble),
                    locks: Vec::new(),
                    pending: Vec::new(),
                    newest: None,
                    setup: None,
                    passed_through: Vec::new(),
                })),
                // Where no program is, nobody has looked for its runs.
                PulumiQuery::Runs { .. } => PulumiAnswer::Runs { seen: Vec::new(), may_lack: true },
                _ => PulumiAnswer::Failed(trouble),
            };
            tell(answer).await;
        })
    }
}

impl PulumiControl for NoPulumi {
    fn carry_out<'a>(
        &'a self,
        _change: &'a Confirmed<PulumiChange>,
        _operator: &'a str,
        _intent: &'a str,
    ) -> PulumiFuture<'a, Carried> {
        Box::pin(async { Err(PulumiError::NotStarted(NO_PROGRAM.to_owned())) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::confirm::YesFlag;
    use crate::domain::pulumi::NewStack;

    #[tokio::test]
    async fn a_read_only_port_refuses_what_was_confirmed() {
        let yes = YesFlag::from_cli(true).unwrap();
        let change = Confirmed::by_flag(PulumiChange::CreateStack(NewStack::new("prod")), yes);
        let refused = ReadOnlyPulumi.carry_out(&change, "kim", "i1").await.unwrap_err();
        assert_eq!(refused, PulumiError::Refused(BlockedReason::ReadOnly));
        assert_eq!(refused.exit_code(), 5);
    }
}
