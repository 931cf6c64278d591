// Chooses the dialog that is open. Lives over all pages: sound test, help and shift are asked for from the top bar too.

import type { JSX } from "preact";
import { closeDialog, dialog } from "./dialogs";
import { CloseDialog, RealDialog, ReasonDialog } from "./ActionDialogs";
import { DispatchDialog } from "./DispatchDialog";
import { HelpDialog } from "./HelpDialog";
import { PlanDialog } from "./PlanDialog";
import { GiveDialog, ShiftDialog, TakeDialog } from "./ShiftDialogs";
import { SoundDialog } from "./SoundDialog";
import { StillDialog } from "./StillDialog";
import { ClipDialog } from "../seeing/Clips";
import { LiveDialog } from "../seeing/LiveDialog";
import { RecordingDialog } from "../seeing/Recordings";

export function DeskDialogs(): JSX.Element | null {
  const open = dialog.value;
  switch (open?.kind) {
    case undefined: return null;
    case "sound": return <SoundDialog onClose={closeDialog} />;
    case "help": return <HelpDialog onClose={closeDialog} />;
    case "dispatch": return <DispatchDialog id={open.alert} onClose={closeDialog} />;
    case "close": return <CloseDialog id={open.alert} onClose={closeDialog} />;
    case "reason": return <ReasonDialog id={open.alert} action={open.action} onClose={closeDialog} />;
    case "real": return <RealDialog id={open.alert} onClose={closeDialog} />;
    case "plan": return <PlanDialog site={open.site} updated={open.updated} onClose={closeDialog} />;
    case "shift": return <ShiftDialog onClose={closeDialog} />;
    case "give": return <GiveDialog onClose={closeDialog} />;
    case "take": return <TakeDialog onClose={closeDialog} />;
    case "live": return <LiveDialog camera={open.camera} onClose={closeDialog} />;
    case "recording": return <RecordingDialog camera={open.camera} onClose={closeDialog} />;
    case "clip": return <ClipDialog alert={open.alert} camera={open.camera} onClose={closeDialog} />;
    case "still": return <StillDialog camera={open.camera} onClose={closeDialog} />;
  }
}
