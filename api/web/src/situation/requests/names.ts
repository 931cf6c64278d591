// Codes of the request desk in the words of its settings.

import { named } from "../../i18n";
import type { RequestSettings } from "../types";

export const categoryName = (s: RequestSettings, id: string): string => named(s.categories.find((c) => c.id === id)?.name, id);
export const serviceName = (s: RequestSettings, id: string): string => named(s.services.find((c) => c.id === id)?.name, id);
export const stateName = (s: RequestSettings, id: string): string => named(s.states.find((c) => c.id === id)?.name, id);
export const areaOf = (s: RequestSettings, kato: string): string => named(s.areas.find((a) => a.kato === kato)?.name, kato);
