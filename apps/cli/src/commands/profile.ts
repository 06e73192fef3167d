import type { Command } from 'commander'
import { type LocalContext, localAction, required, type Surroundings } from '../context.ts'
import { UsageError } from '../exit.ts'
import {
  type Profile,
  type Profiles,
  profilesFile,
  readProfiles,
  requireName,
  writeProfiles,
} from '../profiles/profiles.ts'
import { findTarget } from '../profiles/target.ts'
import { readToken, readTokenFrom } from '../profiles/token.ts'
import { plain, table } from '../terminal/text.ts'

export function addProfile(program: Command, surroundings: Surroundings): void {
  const profile = program
    .command('profile')
    .summary('names for gateways: URL and token')
    .description(
      'Keeps URLs of gateways under names, each with a token if a proxy in front of it wants one. The token goes out ' +
        'as Authorization: Bearer, to that URL alone, and nothing prints it. --url counts before --profile, that before ' +
        'SEKALI_URL, that before SEKALI_PROFILE, that before the profile in use, and that before this machine.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sekali profile set staging --url https://sekali.staging.example --token-file token.txt
  $ sekali profile use staging
  $ sekali stats --profile staging
  $ sekali profile show                           which gateway a command would ask, and why
`,
    )
  profile
    .command('set')
    .description(
      'Keeps a profile, or changes one: --url is its URL, --token-file has its token (- is standard input).',
    )
    .argument('<name>')
    .option('--no-token', 'forget its token')
    .action(localAction(surroundings, set))
  profile
    .command('list')
    .description('Lists the profiles, and which one is in use.')
    .action(localAction(surroundings, list))
  profile
    .command('use')
    .description('Takes this profile from now on, where neither an option nor the environment names another.')
    .argument('<name>')
    .action(localAction(surroundings, use))
  profile
    .command('remove')
    .description('Forgets a profile.')
    .argument('<name>')
    .action(localAction(surroundings, remove))
  profile
    .command('show')
    .description('Shows which gateway a command with these options would ask, and what decides it.')
    .action(localAction(surroundings, show))
}

const set = async (context: LocalContext, [operand]: string[], { token: keepToken }: { token: boolean }) => {
  const { url, tokenFile } = context.target
  const name = requireName(required(operand))
  if (!keepToken && tokenFile !== undefined) throw new UsageError('either --token-file or --no-token')
  const { file, profiles } = await read()
  const before = profiles.byName.get(name)
  const wanted = url ?? before?.url
  if (wanted === undefined) throw new UsageError(`there is no profile ${name} yet: name its --url`)
  // A token is for the URL that it was given for.
  const kept = keepToken && wanted === before?.url ? before.token : undefined
  const token = tokenFile === undefined ? kept : await tokenIn(tokenFile)
  const profile: Profile = { url: wanted, ...(token !== undefined && { token }) }
  await writeProfiles(file, { ...profiles, byName: new Map(profiles.byName).set(name, profile) })
  const rest = profiles.inUse === name ? '' : `; sekali profile use ${name} makes it the usual one`
  await say(context, name, 'set', rest)
  return undefined
}

const tokenIn = async (file: string): Promise<string> =>
  file === '-' ? await readTokenFrom(process.stdin) : await readToken(file)

const list = async ({ json, out }: LocalContext) => {
  const { inUse, byName } = (await read()).profiles
  const rows = [...byName].sort(([a], [b]) => (a < b ? -1 : 1))
  if (json) {
    for (const [name, { url, token }] of rows) {
      await out.line(JSON.stringify({ name, url, has_token: token !== undefined, in_use: name === inUse }))
    }
  } else if (rows.length === 0) await out.line('no profiles')
  else {
    const cells = rows.map(([name, { url, token }]) => [
      plain(name),
      plain(url),
      token === undefined ? 'no' : 'yes',
      name === inUse ? 'in use' : '',
    ])
    for (const line of table(['name', 'url', 'token', ''], cells, [0, 1, 2, 3])) await out.line(line)
  }
  return undefined
}

const use = async (context: LocalContext, [operand]: string[]) => {
  const name = required(operand)
  const { file, profiles } = await read()
  requireKnown(profiles, name)
  await writeProfiles(file, { ...profiles, inUse: name })
  await say(context, name, 'in use')
  return undefined
}

const remove = async (context: LocalContext, [operand]: string[]) => {
  const name = required(operand)
  const { file, profiles } = await read()
  requireKnown(profiles, name)
  const byName = new Map(profiles.byName)
  byName.delete(name)
  const { inUse } = profiles
  await writeProfiles(file, { byName, ...(inUse !== undefined && inUse !== name && { inUse }) })
  await say(context, name, 'removed')
  return undefined
}

const show = async ({ json, out, target }: LocalContext) => {
  const { url, token } = await findTarget(target, process.env)
  if (json) {
    const shown = {
      url: url.value,
      url_from: url.from,
      has_token: token !== undefined,
      token_from: token?.from,
    }
    await out.line(JSON.stringify(shown))
  } else {
    await out.line(`url    ${plain(url.value)} (${url.from})`)
    await out.line(`token  ${token === undefined ? 'none' : `yes, not shown (${token.from})`}`)
  }
  return undefined
}

async function read(): Promise<{ readonly file: string; readonly profiles: Profiles }> {
  const file = profilesFile(process.env)
  return { file, profiles: await readProfiles(file) }
}

function requireKnown({ byName }: Profiles, name: string): void {
  if (byName.has(name)) return
  throw new UsageError(`there is no profile ${plain(name)}: sekali profile list names them`)
}

const say = ({ json, out }: LocalContext, name: string, status: string, rest = ''): Promise<void> =>
  out.line(json ? JSON.stringify({ name, status }) : `${name} is ${status}${rest}`)
