/**
 * Where our own files lie that are read or started, not imported. In a clone the sources run, each at its place in the tree.
 * In the package `@sekali/cli` they are built: all lie in one folder and have the ending `.mjs`.
 */

/** Whether this is the package's code, not a clone's. */
export const isBuilt: boolean = import.meta.url.endsWith('.mjs')

/** The URL of a file, relative to the caller's `import.meta.url`: `inClone` for sources, `inPackage` for what is built. */
export const placeOf = (from: string, inClone: string, inPackage: string): URL =>
  new URL(isBuilt ? inPackage : inClone, from)
