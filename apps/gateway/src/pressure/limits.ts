/** What may be in flight of a topic, and how full Redis may be. */
export interface PressureLimits {
  /** Of one topic. */
  readonly eventsMax: number
  /** Of Redis's memory, of one topic. */
  readonly bytesMax: number
  /** Shares of Redis's `maxmemory` in per cent: beyond the first nothing is taken until it is below the second. */
  readonly shedAt: number
  readonly shedUntil: number
}

/** Unless settings say otherwise. A file of its own: settings are also read by those who start a gateway. */
export const pressureLimits: PressureLimits = {
  eventsMax: 1_000_000,
  bytesMax: 256 * 1024 * 1024,
  shedAt: 85,
  shedUntil: 75,
}
