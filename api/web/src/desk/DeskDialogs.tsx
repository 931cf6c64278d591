// Chooses the dialog that is open on the desk.

import type { JSX } from "preact";
import { closeDialog, dialog } from "./dialogs";
import { CloseDialog, DispatchDialog, ReasonDialog } from "./ActionDialogs";
import { HelpDialog } from "./HelpDialog";
import { IncidentDialog } from "./IncidentDialog";
import { SoundDialog } from "./SoundDialog";
import { StillDialog } from "./StillDialog";

export function DeskDialogs(): JSX.Element | null {
  const open = dialog.value;
  switch (open?.kind) {
    case undefined: return null;
    case "sound": return <SoundDialog onClose={closeDialog} />;
    case "help": return <HelpDialog onClose={closeDialog} />;
    case "incident": return <IncidentDialog site={open.site} onClose={closeDialog} />;
    case "dispatch": return <DispatchDialog id={open.alert} onClose={closeDialog} />;
    case "close": return <CloseDialog id={open.alert} onClose={closeDialog} />;
    case "reason": return <ReasonDialog id={open.alert} action={open.action} onClose={closeDialog} />;
    case "still": return <StillDialog camera={open.camera} onClose={closeDialog} />;
  }
}
