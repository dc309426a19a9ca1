//! temporary
use super::{Cause, Desk};
use store::{Statement, StoreError};
use uuid::Uuid;
impl Desk {
    /// temporary
    pub async fn revoke_one(&self, serial_number: Uuid, cause: Cause) -> Result<bool, StoreError> {
        let want = |condition: &str, key: String| {
            Statement::new(format!(
            "INSERT INTO connector_revocations (serial_number, reason, tell, wanted_at, attempts, next_at) \
             SELECT serial_number, CAST($3 AS TEXT), 1, CAST($2 AS BIGINT), 0, CAST($2 AS BIGINT) \
             FROM connector_credentials WHERE {condition} = $1 AND stage = 'issued' ON CONFLICT (serial_number) DO NOTHING"))
            .bind(key).bind(self.now()).bind(cause.code())
        };
        self.0
            .store
            .write([want("serial_number", serial_number.to_string())])
            .await?;
        self.wake();
        let found = Statement::new(
            "SELECT serial_number FROM connector_credentials WHERE serial_number = $1",
        )
        .bind(serial_number.to_string());
        Ok(self.0.store.read_one(found).await?.is_some())
    }
    /// temporary
    pub async fn revoke_all(&self, employee: &str, cause: Cause) -> Result<u64, StoreError> {
        let want = Statement::new(
            "INSERT INTO connector_revocations (serial_number, reason, tell, wanted_at, attempts, next_at) \
             SELECT serial_number, CAST($3 AS TEXT), 1, CAST($2 AS BIGINT), 0, CAST($2 AS BIGINT) \
             FROM connector_credentials WHERE employee = $1 AND stage = 'issued' ON CONFLICT (serial_number) DO NOTHING")
            .bind(employee).bind(self.now()).bind(cause.code());
        let done = self.0.store.write([want]).await?;
        self.wake();
        Ok(done[0].changed)
    }
}
