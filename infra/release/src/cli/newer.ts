/**
 * What JavaScript and Node have that the oldest Node of a program lacks. Type checks do not find it: they go by the newest Node.
 * Called by name in our code it would end the program there; code of others asks first whether it is there.
 */

/** Missing in Node 22.18. The names that disposable-stacks.ts stands in for are not among them. */
const since24 = [
  /\b(?:RegExp\.escape|Error\.isError|Promise\.try|Math\.(?:f16round|sumPrecise)|Iterator\.(?:concat|zip))\b/,
  /\b(?:Float16Array|URLPattern)\b/,
  /\bimport\.meta\.main\b/,
  /\.(?:getOrInsert(?:Computed)?|fromBase64|fromHex|toBase64|toHex)\(/,
  /\bprocess\.execve\b/,
]

/** Missing in Node 20. */
const since22 = [
  /\b(?:Promise\.withResolvers|Array\.fromAsync|(?:Map|Object)\.groupBy|Iterator\.from)\b/,
  /\.(?:isSubsetOf|isSupersetOf|isDisjointFrom|symmetricDifference|intersection|difference)\(/,
  /\.(?:(?:values|keys|entries)\(\)|matchAll\([^()]*\))\s*\.(?:map|filter|take|drop|flatMap|reduce|toArray|forEach|some|every|find)\(/,
  /\b(?:registerHooks|stripTypeScriptTypes|getBuiltinModule|globSync|navigator|WebSocket)\b/,
]

/** The first of it in `code`; undefined when a Node of that major version has all that is called. */
export function findNewerThan(major: 20 | 22, code: string): string | undefined {
  const names = major === 20 ? [...since22, ...since24] : since24
  for (const name of names) {
    const found = name.exec(code)
    if (found !== null) return found[0]
  }
  return undefined
}
