/** The event id of an entry as Redis gives it. */
export const idOf = ([, fields]: [id: string, fields: string[]]): string | undefined =>
  fields[1]?.split('\0')[0]
