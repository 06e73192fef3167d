// The system's parts call each other on this machine. With NODE_USE_ENV_PROXY Node's fetch would ask a proxy for that.
const ofThisMachine = ['127.0.0.1', '::1', 'localhost']

/** What an environment needs so that calls on this machine do not go through its proxy. */
export function aroundProxies(env) {
  const hasProxy = ['http_proxy', 'https_proxy', 'all_proxy'].some(
    (name) => env[name] || env[name.toUpperCase()],
  )
  if (!hasProxy) return {}
  // Programs differ in which of the two they read.
  const excepted = [env.no_proxy, env.NO_PROXY].flatMap((list) => list?.split(/[\s,]+/) ?? []).filter(Boolean)
  const all = [...new Set([...excepted, ...ofThisMachine])].join(',')
  return { no_proxy: all, NO_PROXY: all }
}
