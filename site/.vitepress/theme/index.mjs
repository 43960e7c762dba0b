/** The default theme, wider: for tables with many columns, and for lines of code of 100 characters. */
import theme from 'vitepress/theme';
import './wide.css';

export default theme;
