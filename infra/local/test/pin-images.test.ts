// With a program `docker` of its own on the PATH: what registries say of images is not to be had in a test.
import { spawnSync } from 'node:child_process'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const files = [
  'docker-compose.yml',
  ...['Dockerfile', 'all.Dockerfile', 'edge.Dockerfile'].map((name) => `infra/docker/${name}`),
]
const images = [
  'redis:8.6.7',
  'postgres:17.11-trixie',
  'prom/prometheus:v3.14.0',
  'grafana/grafana:13.2.0',
  'node:24.21.0-trixie-slim',
  'debian:trixie-slim',
]
const digest = (digit: string) => `sha256:${digit.repeat(64)}`

/** A copy of the files without digests, and a docker that notes what it is asked and runs a line of sh. */
async function ownCopy() {
  const folder = await temporaryFolder('sekali-test-')
  for (const file of [...files, 'infra/docker/pin-images.mjs']) {
    await mkdir(join(folder.path, dirname(file)), { recursive: true })
    await cp(join(repository, file), join(folder.path, file))
  }
  const read = () => Promise.all(files.map((file) => readFile(join(folder.path, file), 'utf8')))
  for (const [index, text] of (await read()).entries()) {
    const bare = text.replaceAll(/@sha256:[0-9a-f]{64}/g, '')
    await writeFile(join(folder.path, String(files[index])), bare)
  }
  const bin = join(folder.path, 'bin')
  const asked = join(folder.path, 'asked')
  await mkdir(bin)
  return {
    read,
    asked: async () => (await readFile(asked, 'utf8')).trim().split('\n'),
    docker: async (line: string) => {
      const script = `#!/bin/sh\necho "$@" >>'${asked}'\n${line}\n`
      await writeFile(join(bin, 'docker'), script, { mode: 0o755 })
    },
    pin: () =>
      spawnSync(process.execPath, [join(folder.path, 'infra/docker/pin-images.mjs')], {
        env: { PATH: `${bin}:/usr/bin:/bin` },
        encoding: 'utf8',
      }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** As buildx prints it: the index's own digest, and those of its manifests for each kind of machine. */
const manifest = (digit: string) =>
  `echo '${JSON.stringify({ digest: digest(digit), manifests: [{ digest: digest('f') }] })}'`

test('each image gets the digest of its index, also where there is one; what is built here gets none', async () => {
  await using copy = await ownCopy()
  const bare = await copy.read()
  await copy.docker(manifest('1'))
  expect(copy.pin()).toMatchObject({ status: 0, stderr: '' })
  const first = await copy.read()
  expect(first.join('').match(/\S+@sha256:\w+/g)).toEqual([
    `${images[0]}@${digest('1')}`,
    `${images[1]}@${digest('1')}`,
    `${images[2]}@${digest('1')}`,
    `${images[3]}@${digest('1')}`,
    `NODE_IMAGE=${images[4]}@${digest('1')}`,
    `NODE_IMAGE=${images[4]}@${digest('1')}`,
    `DEBIAN_IMAGE=${images[5]}@${digest('1')}`,
  ])
  expect(first.map((text) => text.replaceAll(`@${digest('1')}`, ''))).toEqual(bare)
  expect(copy.pin().status).toBe(0)
  expect(await copy.read()).toEqual(first)
  await copy.docker(manifest('2'))
  expect(copy.pin().status).toBe(0)
  expect(await copy.read()).toEqual(first.map((text) => text.replaceAll(digest('1'), digest('2'))))
  const question = (image: string) => `buildx imagetools inspect --format {{json .Manifest}} ${image}`
  expect(new Set(await copy.asked())).toEqual(new Set(images.map(question)))
})

test.each([
  ['reaches no registry', 'echo "ERROR: dial tcp: no such host" >&2; exit 1', /redis:8.6.7: ERROR: dial tcp/],
  [
    'knows all images but one',
    `case "$*" in *node*) exit 1 ;; esac; ${manifest('1')}`,
    /digest of node:\S+: it gives no reason/,
  ],
  ['prints a page for people', `echo 'Digest: ${digest('1')}'`, /has no digest/],
  ['prints something else for a digest', `echo '{"digest":"sha256:12"}'`, /has no digest/],
])('where docker %s, nothing is changed, and it is said why', async (_, line, reason) => {
  await using copy = await ownCopy()
  const before = await copy.read()
  await copy.docker(line)
  const { status, stderr } = copy.pin()
  expect(status).toBe(1)
  expect(stderr).toMatch(reason)
  expect(stderr).toMatch(/Nothing was changed\. It needs docker with buildx, and a way to the registry\.\n$/)
  expect(await copy.read()).toEqual(before)
})
