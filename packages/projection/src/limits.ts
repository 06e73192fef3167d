export const limits = {
  nameCharsMax: 64,
  /** With the generation's id it must fit a PostgreSQL index row of about 2,700 bytes. */
  keyCharsMax: 512,
  /** UTF-8 bytes of the state of one key. */
  stateBytesMax: 1024 * 1024,
  /** Objects and arrays in one another: more than a payload may have, and less than PostgreSQL's parser can take. */
  stateDepthMax: 1_000,
  topicsMax: 100,
  /** Characters of an error's message that are kept. */
  messageCharsMax: 300,
} as const
