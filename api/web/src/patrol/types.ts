// Shapes of the patrol's part of the API. No logic here.

import type { AlertState, LatLon, Level, Names } from "../types";

export type Answer = "delivered" | "seen" | "accept" | "decline" | "en_route" | "on_scene" | "done";

export interface Contact { id: string; name: string; post: string; phone: string; expires_at: string | null }

/** The part of an alert that an order needs. */
export interface OrderAlert {
  id: number;
  kind: string;
  level: Level;
  state: AlertState;
  site: string | null;
  position: LatLon | null;
  raised_at: string;
  updated_at: string;
  version: number;
  unit: string | null;
  alarm: { kind: string; test: boolean } | null;
  incident: { text: string } | null;
  hazard?: { kind: string; text: string } | null;
  progress?: {
    sent_at: string | null;
    delivered_at: string | null;
    seen_at: string | null;
    accepted_at: string | null;
    done_at: string | null;
  };
}

export interface Order {
  alert: OrderAlert;
  place: Names | null;
  address: string | null;
  plan: boolean;
  notes: string | null;
  contacts: Contact[];
  drill: boolean;
  note: string | null;
}

export interface Fix { lat: number; lon: number; accuracy_m: number; at: string }
