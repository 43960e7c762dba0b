/** Colours TypeScript source well enough to read: comments, strings, keywords and numbers. */

const tokens =
  /(?<comment>\/\/.*|\/\*[\s\S]*?\*\/)|(?<string>'[^'\n]*'|`[^`]*`)|(?<keyword>\b(?:as|async|await|catch|class|const|else|export|extends|finally|for|from|function|if|import|interface|let|new|of|readonly|return|static|throw|try|type|typeof|yield)\b)|(?<number>\b\d[\d_]*\b)/g;

/** Splits source into text and `<span class="comment">`-like elements. */
export function highlight(source: string): (Node | string)[] {
  const parts: (Node | string)[] = [];
  let end = 0;
  for (const match of source.matchAll(tokens)) {
    const kind = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined)?.[0];
    const span = document.createElement('span');
    span.className = kind ?? '';
    span.textContent = match[0];
    parts.push(source.slice(end, match.index), span);
    end = match.index + match[0].length;
  }
  return [...parts, source.slice(end)];
}
