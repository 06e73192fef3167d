/**
 * What PostgreSQL calls our processes: `application_name`, which every role may read. Before the name comes what they know of
 * the schema, so that the last step of an upgrade can tell that none of an older version is left. At the beginning, because
 * PostgreSQL cuts names at 63 bytes.
 *
 *     sekali-…      looks ids up by their text alone, and stores events without keys
 *     sekali/2-…    knows keys
 */
export const processName = (name: string): string => `sekali/2-${name}`

/** What the names of processes that do not know keys are LIKE. */
export const olderName = 'sekali-%'
