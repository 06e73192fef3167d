/** The event ids of entries as Redis gives them. */
export const idsOf = (entries: readonly [id: string, fields: string[]][]): (string | undefined)[] =>
  entries.flatMap(([, [, value]]) => value?.split('\0\0').map((text) => text.split('\0')[0]))
