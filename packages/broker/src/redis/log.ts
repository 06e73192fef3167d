/** What this package needs of a logger; pino's has it. */
export interface Log {
  info(message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
