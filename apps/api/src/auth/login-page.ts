/** Style of the page; its hash is in the policy of the page, so that nothing else can add any. */
export const LOGIN_STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: Canvas; color: CanvasText; }
main { width: min(24rem, calc(100vw - 3rem)); }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; }
p { margin: 0 0 1.25rem; opacity: .75; font-size: .9rem; }
code { font-size: .85em; }
label { display: block; font-size: .9rem; margin-bottom: .35rem; }
input, button { box-sizing: border-box; width: 100%; font: inherit; padding: .6rem .75rem; border-radius: .5rem; }
input { border: 1px solid color-mix(in srgb, currentColor 35%, transparent); background: transparent; color: inherit; }
button { margin-top: .75rem; border: 0; background: #2f5bea; color: #fff; cursor: pointer; }
.fault { color: #d33; opacity: 1; }
`;

/** The login page. `next` is a path that was found safe; `fault` says why the last try failed. */
export function loginPage(next: string, fault?: string): string {
  const told = fault === undefined ? '' : `<p class="fault" role="alert">${escape(fault)}</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in - Lattice</title>
<style>${LOGIN_STYLE}</style>
</head>
<body>
<main>
<h1>Lattice</h1>
<p>Sign in with an API key. The first one is in <code>.lattice/admin.key</code>.</p>
${told}
<form method="post" action="/login">
<input type="hidden" name="next" value="${escape(next)}">
<label for="key">API key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button type="submit">Sign in</button>
</form>
</main>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
