/** What of a workspace is published, and for what it is built. Its manifest says the rest: name, version, engines. */
export interface PublishedPackage {
  /** Its folder, from the root. */
  readonly workspace: string
  /** What people import: `.` or `./name`. */
  readonly doors: Readonly<Record<string, Door>>
  /** `neutral` runs in browsers too: there, an import of `node:` ends the build. */
  readonly platform: 'neutral' | 'node'
  /** Modules, from the root, that the first door exports and all further ones import from there: what doors throw, and more. */
  readonly ofFirst?: readonly string[]
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
      // Nor what workers do.
      './work': { source: 'src/work.ts', gzipBytesMax: 6.5 * 1024 },
    },
    platform: 'neutral',
    ofFirst: [
      'packages/client/src/errors.ts',
      'packages/core/src/errors.ts',
      'packages/client/src/client.ts',
    ],
  },
  {
    workspace: 'packages/projection',
    doors: { '.': { source: 'src/sdk.ts', gzipBytesMax: 10 * 1024 } },
    platform: 'neutral',
  },
]
