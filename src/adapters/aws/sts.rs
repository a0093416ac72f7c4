//! STS: who is asking.

use super::Aws;
use super::errors::garbled;
use super::iam::AwsOperation;
use crate::domain::service::Identity;
use crate::ports::PortError;

impl Aws {
    pub(super) async fn identity(&self) -> Result<Identity, PortError> {
        let operation = AwsOperation::GetCallerIdentity;
        let answer = self.clients.sts.get_caller_identity().send().await.map_err(|e| self.failed(operation, &e))?;
        let (Some(account), Some(arn)) = (answer.account, answer.arn) else {
            return Err(garbled(operation, "the answer names no account or no caller"));
        };
        let identity = Identity { account, arn };
        // Kept for the comment of a change batch, which says who made it.
        *self.caller.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(identity.short().to_owned());
        Ok(identity)
    }
}
