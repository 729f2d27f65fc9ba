const secretName = /(SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|PRIVATE_KEY|_KEY)/i;
const shortest = 6;

/**
 * Gives a function that replaces secrets of the environment by `***`: the values of variables that are named
 * like one (AWS_SECRET_ACCESS_KEY, GITHUB_TOKEN …), as they are, in base64, URL-encoded and as JSON. The
 * runner masks only what it was told of, and only in the log: not in summaries, outputs and artifacts.
 */
export function redactor(env: NodeJS.ProcessEnv): (text: string) => string {
  const values = new Set<string>();
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value.trim().length < shortest || !secretName.test(name)) continue;
    if (name.startsWith('INPUT_') || name.endsWith('_FILE') || name.endsWith('_URL')) continue;
    for (const form of [
      value,
      value.trim(),
      Buffer.from(value).toString('base64'),
      encodeURIComponent(value),
      JSON.stringify(value).slice(1, -1),
    ]) {
      values.add(form);
    }
  }
  const longestFirst = [...values].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((redacted, value) => redacted.replaceAll(value, '***'), text);
}
