/**
 * Names the images of docker-compose.yml and of the Dockerfiles by digest, `redis:8.6.7@sha256:…`, so that a registry
 * cannot give another image under the same version. Run it again after a change of version, or for a version's newer
 * build: digests that are there are renewed. It needs docker with buildx, and a way to the registry:
 *
 *   npm run images:pin
 *
 * Docker is asked, and not the registry itself: it knows the registry that a name means, mirrors, proxies and log-ins,
 * and no host stands here. The whole of `.Manifest` is asked for, because some versions of buildx print a page instead of
 * `{{.Manifest.Digest}}`. The digest is that of the index, which is good for all kinds of machines.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const answerMsMax = 60_000

// What is built here is in no registry: it alone has no version but `local`.
const name = '(?<image>[^\\s@#$"\']+(?<!:local))(?:@sha256:[0-9a-f]{64})?(?=\\s|$)'
const ofDockerfile = new RegExp(`^(?<before>ARG \\w*IMAGE=)${name}`, 'gm')
const places = {
  'docker-compose.yml': new RegExp(`^(?<before> +image: +)${name}`, 'gm'),
  'infra/docker/Dockerfile': ofDockerfile,
  'infra/docker/all.Dockerfile': ofDockerfile,
  'infra/docker/edge.Dockerfile': ofDockerfile,
}

class NotPinned extends Error {}

/** @param {string} image */
function digestOf(image) {
  const asked = ['buildx', 'imagetools', 'inspect', '--format', '{{json .Manifest}}', image]
  const { error, status, stdout, stderr } = spawnSync('docker', asked, {
    encoding: 'utf8',
    timeout: answerMsMax,
    maxBuffer: 16 * 1024 * 1024,
  })
  if (error) throw new NotPinned(`docker cannot be asked about ${image} (${error.code})`)
  if (status !== 0) throw new NotPinned(`docker cannot say the digest of ${image}: ${lastLineOf(stderr)}`)
  const digest = digestIn(stdout)
  if (digest === undefined) throw new NotPinned(`what docker says of ${image} has no digest`)
  return digest
}

/** @param {string} text */
function digestIn(text) {
  try {
    const { digest } = JSON.parse(text)
    return /^sha256:[0-9a-f]{64}$/.test(digest) ? digest : undefined
  } catch {
    return undefined // a page for people, say
  }
}

/** @param {string} text */
const lastLineOf = (text) => text.trim().split('\n').at(-1) || 'it gives no reason'

try {
  const files = Object.entries(places).map(([file, pattern]) => {
    const path = join(root, file)
    const text = readFileSync(path, 'utf8')
    const images = [...text.matchAll(pattern)].map(({ groups }) => groups.image)
    if (images.length === 0) throw new NotPinned(`${file} names no image`)
    return { file, path, pattern, text, images }
  })
  const images = new Set(files.flatMap((file) => file.images))
  const digests = new Map([...images].map((image) => [image, digestOf(image)]))
  // Nothing is written before all of them are known.
  for (const { file, path, pattern, text } of files) {
    const pinned = text.replace(pattern, (...args) => {
      const { before, image } = args.at(-1)
      return `${before}${image}@${digests.get(image)}`
    })
    if (pinned !== text) {
      writeFileSync(`${path}.new`, pinned)
      renameSync(`${path}.new`, path)
    }
    console.log(`images:pin: ${file} ${pinned === text ? 'was' : 'is now'} pinned`)
  }
} catch (error) {
  if (!(error instanceof NotPinned)) throw error
  const needs = 'It needs docker with buildx, and a way to the registry.'
  console.error(`images:pin: ${error.message}. Nothing was changed. ${needs}`)
  process.exitCode = 1
}
