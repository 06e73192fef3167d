/** Every limit on what comes in, in one place. What is over a limit is refused at the door, never cut. */
export const limits = {
  /** Characters (UTF-16 units) of a topic name such as `orders.eu.paid`. */
  topicCharsMax: 128,
  /** Characters (UTF-16 units); with the topic's id it must fit a PostgreSQL index row of about 2,700 bytes. */
  eventIdCharsMax: 256,
  sourceCharsMax: 128,
  /** UTF-8 bytes of a payload's JSON text. */
  payloadBytesMax: 256 * 1024,
  /** Levels of arrays and objects in a payload, the payload itself counted. */
  payloadDepthMax: 64,
  /** UTF-8 bytes of the body of a single-event publish: the payload, and room for the other fields. */
  bodyBytesMax: 320 * 1024,
  /** Events of a batch that is a JSON array. */
  batchEventsMax: 5_000,
  /** UTF-8 bytes of the body of such a batch. */
  batchBytesMax: 8 * 1024 * 1024,
  /** Issues that an answer names, if nothing of what was sent is taken. A batch may have thousands. */
  issuesNamedMax: 100,
  pageSizeDefault: 100,
  pageSizeMax: 1_000,
  /** Topics that one pattern may match; a cursor over them stays below 10,000 characters. */
  patternTopicsMax: 500,
  /** UTF-8 bytes of content that are kept of a topic's conflicts and dead letters; of those over it a stub is kept. */
  keptBytesMax: 4 * 1024 * 1024,
} as const
