/** What of a workspace is published, and for what it is built. Its manifest says the rest: name, version, engines. */
export interface PublishedPackage {
  /** Its folder, from the root. */
  readonly workspace: string
  /** What people import: `.` or `./name`, and the source behind it, from the workspace. */
  readonly doors: Readonly<Record<string, string>>
  /** `neutral` runs in browsers too: there, an import of `node:` ends the build. */
  readonly platform: 'neutral' | 'node'
  /** Bytes of all its JavaScript, each file compressed by gzip. More ends the build. */
  readonly gzipBytesMax: number
}

export const packages: readonly PublishedPackage[] = [
  {
    workspace: 'packages/client',
    doors: { '.': 'src/sdk.ts' },
    platform: 'neutral',
    gzipBytesMax: 10 * 1024,
  },
  {
    workspace: 'packages/projection',
    doors: { '.': 'src/sdk.ts' },
    platform: 'neutral',
    gzipBytesMax: 10 * 1024,
  },
]
