/** What of a workspace is published, and for what it is built. Its manifest says the rest: name, version, engines. */
export interface PublishedPackage {
  /** Its folder, from the root. */
  readonly workspace: string
  /** What people import: `.` or `./name`. */
  readonly doors: Readonly<Record<string, Door>>
  /** `neutral` runs in browsers too: there, an import of `node:` ends the build. */
  readonly platform: 'neutral' | 'node'
  /** Modules, from the root, of what doors throw. The first door exports it, and all further ones import it from there. */
  readonly thrown?: readonly string[]
}

interface Door {
  /** From the workspace. */
  readonly source: string
  /** Bytes of its JavaScript, compressed by gzip. More ends the build. */
  readonly gzipBytesMax: number
}

export const packages: readonly PublishedPackage[] = [
  {
    workspace: 'packages/client',
    doors: {
      '.': { source: 'src/sdk.ts', gzipBytesMax: 10 * 1024 },
      // Pages publish and read; what operators do must not cost them anything.
      './operate': { source: 'src/operate.ts', gzipBytesMax: 6 * 1024 },
    },
    platform: 'neutral',
    thrown: ['packages/client/src/errors.ts', 'packages/core/src/errors.ts'],
  },
  {
    workspace: 'packages/projection',
    doors: { '.': { source: 'src/sdk.ts', gzipBytesMax: 10 * 1024 } },
    platform: 'neutral',
  },
]
