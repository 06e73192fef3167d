/**
 * Which variables of our own environment the apps get to see: all that they read, by their own lists, so that a new
 * one needs no entry here. Other secrets stay here.
 */
import { variables as ofConsumer, parseConfig as parseConsumer } from '@sekali/consumer/config'
import { variables as ofDispatcher, parseConfig as parseDispatcher } from '@sekali/dispatcher/config'
import { variables as ofGateway, parseConfig as parseGateway } from '@sekali/gateway/config'
import { isSecretName } from '@sekali/process/secret-file'
import { variables as ofProjector, parseConfig as parseProjector } from '@sekali/projector/config'

/** A stack gives these to its apps by itself, from its options. */
export const decidedHere: ReadonlySet<string> = new Set([
  'SEKALI_AUTH',
  'HOST',
  'SEKALI_BIND', // of a container, where the host decides who comes in: here it is --host that does
  'PORT',
  'HEALTH_HOST',
  'HEALTH_PORT',
  'METRICS_PORT',
  'CONSUMER_NAME',
  'PROJECTOR_NAME',
  'DISPATCHER_NAME',
  'PROJECTIONS_DIR',
])

/** For tests, which name the process that is to have it. */
export const isFailpoint = (name: string) => name.endsWith('_FAILPOINT')

export const settings: readonly string[] = [
  ...new Set([...ofGateway, ...ofConsumer, ...ofProjector, ...ofDispatcher]),
].filter((name) => !isSecretName(name) && !decidedHere.has(name) && !isFailpoint(name))

/** What Node itself needs. */
const ofNode = ['PATH', 'NODE_EXTRA_CA_CERTS', 'NODE_COMPILE_CACHE']

/** The part of an environment that an app may see. */
export const visibleTo = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    [...ofNode, ...settings].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  )

/** Stand in for servers that are not there yet. */
const someUrls = { DATABASE_URL: 'postgres://127.0.0.1', REDIS_URL: 'redis://127.0.0.1' }
/** Stands in for the one of the data folder. */
const someKey = '0'.repeat(64)

/**
 * Throws `InvalidConfig` if an app would refuse its settings: before anything is started, and not when the last one is. `own`
 * are those that a stack gives to its gateway.
 */
export function checkSettings(env: NodeJS.ProcessEnv, own: NodeJS.ProcessEnv): void {
  const seen = { ...visibleTo(env), ...someUrls }
  parseGateway({ ...seen, ...own })
  parseConsumer(seen)
  parseProjector(seen)
  parseDispatcher({ ...seen, WEBHOOK_KEY: someKey })
}
