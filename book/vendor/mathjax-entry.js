// The parts of MathJax that the pages use: TeX with amsmath macros, rendered as HTML, and MathML for screen readers.
import {browserAdaptor} from "mathjax-full/ts/adaptors/browserAdaptor.ts";
import {AssistiveMmlHandler} from "mathjax-full/ts/a11y/assistive-mml.ts";
import {RegisterHTMLHandler} from "mathjax-full/ts/handlers/html.ts";
import {TeX} from "mathjax-full/ts/input/tex.ts";
import "mathjax-full/ts/input/tex/base/BaseConfiguration.ts";
import "mathjax-full/ts/input/tex/ams/AmsConfiguration.ts";
import {mathjax} from "mathjax-full/ts/mathjax.ts";
import {CHTML} from "mathjax-full/ts/output/chtml.ts";

const fontURL = new URL("fonts", document.currentScript.src).href;
const {options} = window.MathJax ?? {}; // set by MyST-Parser: the elements that contain formulas

function render() {
  AssistiveMmlHandler(RegisterHTMLHandler(browserAdaptor()));
  const input = new TeX({packages: ["base", "ams"]});
  mathjax.document(document, {InputJax: input, OutputJax: new CHTML({fontURL}), ...options}).render();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", render);
else render();
