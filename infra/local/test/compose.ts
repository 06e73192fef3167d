import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { parse } from 'yaml'

export const repository = fileURLToPath(new URL('../../..', import.meta.url))

interface Service {
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly pids_limit?: number
  readonly mem_limit?: string
  readonly cpus?: string
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[] | string
  readonly environment?: Readonly<Record<string, string | number>>
  readonly secrets?: readonly string[]
  readonly tmpfs?: readonly string[]
  readonly ports?: readonly string[]
  readonly logging?: { readonly driver: string }
  readonly volumes?: readonly string[]
  readonly networks?: readonly string[]
}

export const compose = parse(await readFile(join(repository, 'docker-compose.yml'), 'utf8'), {
  merge: true,
}) as {
  readonly services: Readonly<Record<string, Service>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
  readonly networks: Readonly<Record<string, unknown>>
}

/** The volumes of a service: by where they are mounted, as `/run/secrets`, their name. */
const mountsOf = ({ volumes = [] }: Service) =>
  new Map(volumes.map((volume) => volume.split(':')).map(([name = '', place = '']) => [place, name]))

/** By volume, the folder that the job sees. */
export const folders = new Map(
  [...mountsOf(compose.services.secrets ?? {})].map(([place, name]) => [name, place]),
)

/** The volumes as folders, and the job on them. */
export async function ownVolumes() {
  const folder = await temporaryFolder('sekali-test-')
  const volumes = join(folder.path, 'volumes')
  for (const place of folders.values()) await mkdir(join(folder.path, place), { recursive: true })
  const given = join(folder.path, 'given')
  /** Where that lies which a container has at a path. */
  const fileOf = (service: string, path: string) => {
    const [, place = '', name = ''] = /^(\/run\/\w+)\/(\w+)$/.exec(path) ?? []
    const volume = mountsOf(compose.services[service] ?? {}).get(place) ?? ''
    return join(folder.path, folders.get(volume) ?? 'none', name)
  }
  return {
    path: folder.path,
    given,
    run: (from = '', env: NodeJS.ProcessEnv = {}) =>
      spawnSync(process.execPath, [join(repository, 'infra/docker/secrets.ts'), volumes, from], {
        encoding: 'utf8',
        env: { ...process.env, ...env },
      }),
    fileOf,
    /** What a container reads at a path. */
    read: (service: string, path: string) => readFile(fileOf(service, path), 'utf8'),
    /** All files, by path. */
    all: async () => {
      const names = (await readdir(volumes, { recursive: true })).filter((name) => name.includes('/'))
      const texts = await Promise.all(names.map((name) => readFile(join(volumes, name), 'utf8')))
      return Object.fromEntries(names.toSorted().map((name) => [name, texts[names.indexOf(name)]]))
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
