/**
 * Servers of other suites of Debian, beside what is installed: nothing of the machine is changed. apt gets a state of its own
 * that knows of no installed package, so that it fetches all libraries, too, libc included; they are unpacked into a folder,
 * and the server is started by the loader in there. The repository is the one that this machine uses anyhow.
 */
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CannotBeHad, mustRun } from './run-program.ts'
import type { DebianServer } from './versions.ts'

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** The address of Debian's repository in what `apt-get indextargets` prints: lines of origin and address. */
export function repositoryIn(targets: string): string | undefined {
  return targets
    .split('\n')
    .map((line) => line.split(' '))
    .find(([origin, uri = '']) => origin === 'Debian' && !uri.includes('security'))?.[1]
}

/** Fetches a server, and resolves with a program that starts it, as REDIS_SERVER names one. */
export async function fetchFromDebian(
  { program, suite }: DebianServer,
  dir: string,
  signal: AbortSignal,
): Promise<string> {
  const targets = await mustRun('apt-get', ['indextargets', '--format', '$(ORIGIN) $(REPO_URI)'], { signal })
  const uri = repositoryIn(targets)
  if (uri === undefined)
    throw new CannotBeHad('this machine has no repository of Debian, or apt-get update was never run')
  const [state, root] = [join(dir, 'apt'), join(dir, 'root')]
  for (const folder of [join(state, 'lists/partial'), join(state, 'archives/partial'), root])
    await mkdir(folder, { recursive: true, mode: 0o755 })
  const sources = join(state, 'sources.list')
  // Backports need the suite that they are for.
  const suites = new Set([suite, suite.replace(/-backports$/, '')])
  const lines = [...suites].map((one) => `deb [signed-by=${keyring}] ${uri} ${one} main\n`)
  await writeFile(sources, lines.join(''))
  await writeFile(join(state, 'status'), '')
  const own = [
    `Dir::Etc::SourceList=${sources}`,
    'Dir::Etc::SourceParts=-',
    'Dir::Etc::PreferencesParts=-',
    `Dir::State=${state}`,
    `Dir::State::Lists=${join(state, 'lists')}`,
    `Dir::State::Status=${join(state, 'status')}`,
    `Dir::Cache=${state}`,
    `Dir::Cache::Archives=${join(state, 'archives')}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option])
  await mustRun('apt-get', ['update', '-q', ...own], { signal })
  await mustRun(
    'apt-get',
    ['install', '-q', '-y', '--download-only', '--no-install-recommends', ...own, program],
    {
      signal,
    },
  )
  const archives = join(state, 'archives')
  for (const name of await readdir(archives))
    if (name.endsWith('.deb')) await mustRun('dpkg', ['-x', join(archives, name), root], { signal })
  return await writeStarter(root, program)
}

async function writeStarter(root: string, program: string): Promise<string> {
  const files = await readdir(root, { recursive: true })
  // Beside the libraries, not the link to it, which may lead to this machine's own.
  const loader = files
    .filter((file) => /\/ld-linux[^/]*\.so\.\d$/.test(file))
    .toSorted((a, b) => b.split('/').length - a.split('/').length)[0]
  const binary = files.find((file) => file === `usr/bin/${program}`)
  if (loader === undefined || binary === undefined)
    throw new CannotBeHad(`the package has no ${loader === undefined ? 'loader' : program}`)
  const libraries = [
    ...new Set(files.filter((file) => /\.so(\.\d+)*$/.test(file)).map((file) => join(root, file, '..'))),
  ]
  const file = join(root, '..', program)
  const words = [join(root, loader), '--library-path', libraries.join(':'), join(root, binary)]
  await writeFile(file, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')} "$@"\n`)
  await chmod(file, 0o755)
  return file
}
