//! `qorgan replay ALERT`: asks the formula that made a crowd alert again, with the inputs that were kept, and says whether it answers alike.

use std::process::ExitCode;

use clap::Args;
use qorgan_alerts::{Store, fusion::Formula};
use qorgan_domain::{AlertId, alert::Cause};

use super::{ConfigArg, Failure};

/// Which alert.
#[derive(Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Number of the alert.
    alert: i64,
}

pub(super) async fn replay(args: ReplayArgs) -> Result<ExitCode, Failure> {
    let config = args.config.load()?;
    let store = Store::open(&config.store.address()?).await?;
    let found = store.alert(AlertId(args.alert)).await?;
    store.close().await;
    let (alert, _) = found.ok_or_else(|| format!("there is no alert {}", args.alert))?;
    let Cause::Crowd(evidence) = &alert.cause else {
        return Err(format!("alert {} is no crowd alert: no formula made it", args.alert).into());
    };
    let Some(kept) = &evidence.assessed else {
        return Err(format!("alert {} was made by a hub that did not keep the inputs of {} yet", args.alert, evidence.formula).into());
    };
    let formula = Formula::named(&kept.said.formula).ok_or_else(|| format!("this program knows no formula {}", kept.said.formula))?;
    let (said, again) = (serde_json::to_string(&kept.said)?, serde_json::to_string(&formula.assess(&kept.inputs))?);
    println!("inputs  {}", serde_json::to_string(&kept.inputs)?);
    println!("said    {said}");
    println!("again   {again}");
    if said != again {
        return Err(format!("{} does not say the same again: this is a fault of the program", kept.said.formula).into());
    }
    println!("the same, byte for byte ({})", kept.said.formula);
    Ok(ExitCode::SUCCESS)
}
