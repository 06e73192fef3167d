/**
 * Lets go of a promise that a definition has made where none is wanted. When it is rejected later on, that is nobody's
 * to see any more, and Node ends a process for a rejection that nobody has caught.
 */
export function letGo(value: unknown): void {
  if (value instanceof Promise) value.catch(() => undefined)
}
