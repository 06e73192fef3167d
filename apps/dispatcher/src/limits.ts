/** Every limit of a dispatcher that no setting has. */
export const dispatcherLimits = {
  /** Bytes of payloads that one turn hands out; the first event comes whatever its size. */
  turnBytesMax: 4 * 1024 * 1024,
  /** Outcomes wait so long for others, or for the next event, to be written down with. */
  lingerMs: 100,
  /** Requests on their way, over all endpoints, but for one of each. */
  sendingMax: 1_000,
  /** Bytes of payloads in them, beyond which an endpoint begins one at a time. */
  sendingBytesMax: 64 * 1024 * 1024,
  /** After a turn that came to nothing and says that there is more: others need PostgreSQL as well. */
  idleMs: 250,
  /** After many turns in a row that found nothing for an endpoint, until what is new is looked at. */
  seldomMsMax: 64,
  /** Of establishing a connection. */
  connectMs: 5_000,
  /** Of one question to a name server, which is put twice, the second time with twice the patience. */
  lookUpMs: 1_000,
  lookUpTries: 2,
  /** Of all questions about a name: less than a connection has, so that the failure is called what it is. */
  lookUpAllMs: 4_000,
  /** Connections that nothing is sent on are closed after that: less than servers commonly keep them. */
  keepAliveMs: 4_000,
  /** Requests that are on their way when the process is to leave have so long. */
  drainMs: 6_000,
  sweepMs: 1_000,
  /** Between two sweeps of old attempts. */
  tidyMs: 60_000,
} as const

/** When an endpoint counts as degraded or disabled. */
export const judgeDefaults = {
  degradeAfter: 5,
  disableAfterSeconds: 5 * 24 * 3_600,
  disableSpanSeconds: 12 * 3_600,
  probeSeconds: 3_600,
  holdSecondsMax: 60,
} as const
