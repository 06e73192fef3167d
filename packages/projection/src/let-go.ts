/**
 * Lets go of a promise that a definition has made where none is wanted. It may reject later, and Node ends a process for a
 * rejection that is not caught.
 */
export function letGo(value: unknown): void {
  if (value instanceof Promise) value.catch(() => undefined)
}
