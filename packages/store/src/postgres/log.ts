/** What this package needs of a logger; pino's has it. */
export interface Log {
  warn(fields: object, message: string): void
}
